/* What minimal.c does without a client: what is left when the client is taken away. */
#include <string.h>

#include "board.h"

static uint8_t rx[512];
static size_t rx_len;

int main(void)
{
    if (!board_open())
        board_close();
    for (;;) {
        size_t written = board_write(rx, rx_len);
        memmove(rx, rx + written, rx_len - written);
        rx_len -= written;
        board_sleep(board_clock() + 1000);
        rx_len += board_read(rx + rx_len, sizeof rx - rx_len);
        if (!board_is_open() || board_button() == BOARD_LEAVE)
            board_close();
        board_show(rx, rx_len);
    }
}
