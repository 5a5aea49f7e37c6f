/* What minimal.c needs of a board: a byte stream to the server, a clock, two buttons. Write these eight for yours. */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Milliseconds since any moment; never goes back. */
uint32_t board_clock(void);
/* Sleeps until then, until bytes come, or until a button is pressed. */
void board_sleep(uint32_t until);
/* Opens the stream to the server; says whether that worked. */
bool board_open(void);
/* Whether the stream is open. */
bool board_is_open(void);
void board_close(void);
/* Write and read what is possible without waiting, and say how much that was. */
size_t board_write(const uint8_t *bytes, size_t len);
size_t board_read(uint8_t *room, size_t len);
/* What somebody wants: BOARD_PUBLISH, BOARD_LEAVE or 0. */
enum { BOARD_PUBLISH = 1, BOARD_LEAVE = 2 };
int board_button(void);
/* Takes a message. */
void board_show(const uint8_t *bytes, size_t len);

#endif
