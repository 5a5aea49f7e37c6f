/* A made-up board: each of its functions is a register that the compiler can't see through. It is linked and weighed,
 * and never runs. */
#include "board.h"

static volatile uint32_t *const REGISTERS = (volatile uint32_t *)0x40000000;
enum { STATUS, CONTROL, DATA, CLOCK, ALARM, SCREEN, BUTTON };

uint32_t board_clock(void)
{
    return REGISTERS[CLOCK];
}

void board_sleep(uint32_t until)
{
    REGISTERS[ALARM] = until;
}

bool board_is_open(void)
{
    return REGISTERS[STATUS] & 1;
}

bool board_open(void)
{
    REGISTERS[CONTROL] = 1;
    return board_is_open();
}

void board_close(void)
{
    REGISTERS[CONTROL] = 0;
}

size_t board_write(const uint8_t *bytes, size_t len)
{
    size_t done = 0;
    while (done < len && (REGISTERS[STATUS] & 2))
        REGISTERS[DATA] = bytes[done++];
    return done;
}

size_t board_read(uint8_t *room, size_t len)
{
    size_t done = 0;
    while (done < len && (REGISTERS[STATUS] & 4))
        room[done++] = (uint8_t)REGISTERS[DATA];
    return done;
}

int board_button(void)
{
    return (int)REGISTERS[BUTTON];
}

void board_show(const uint8_t *bytes, size_t len)
{
    while (len--)
        REGISTERS[SCREEN] = *bytes++;
}
