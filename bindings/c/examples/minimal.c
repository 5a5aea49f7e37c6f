/*
 * A client for firmware: connects with user name and password, subscribes with QoS 1, publishes with QoS 1, receives,
 * keeps alive, reconnects, leaves. No heap, no operating system, no callback.
 */
#include <string.h>

#include "board.h"
#include "mqttp2p.h"

#define RX_SIZE 512

static mqttp2p_client_memory_t memory;
static uint32_t buffer[MQTTP2P_BUFFER_SIZE(8, 4, 256, 128, 512) / 4];
static uint8_t rx[RX_SIZE];
static size_t rx_len;

static const uint8_t TOPIC[] = "site/meter-1/state";

static mqttp2p_bytes_t bytes(const void *ptr, size_t len)
{
    return mqttp2p_bytes(ptr, len);
}

/* Does what the client says until there is nothing left to do; gives the time until which to sleep. */
static uint64_t drive(mqttp2p_client_t *client)
{
    mqttp2p_action_t action;
    const uint8_t *next = rx;
    uint64_t now = board_clock();

    while (mqttp2p_poll(client, now, &next, &rx_len, &action) == MQTTP2P_OK) {
        switch (action.type) {
        case MQTTP2P_ACTION_OPEN_TRANSPORT:
            if (board_open()) {
                mqttp2p_login_t login = MQTTP2P_LOGIN_INIT;
                login.client_id = bytes("meter-1", 7);
                login.user_name = bytes("user", 4);
                login.password = bytes("password", 8);
                mqttp2p_transport_opened(client, now, &login);
            } else {
                mqttp2p_transport_closed(client, now, MQTTP2P_REASON_UNREACHABLE);
            }
            break;
        case MQTTP2P_ACTION_TRANSMIT: {
            size_t written = board_write(action.data.ptr, action.data.len);
            mqttp2p_transmitted(client, written);
            if (written == 0) /* The stream takes no more: the client asks again later. */
                goto full;
            break;
        }
        case MQTTP2P_ACTION_CLOSE_TRANSPORT:
            board_close();
            break;
        case MQTTP2P_EVENT_MESSAGE:
            board_show(action.data.ptr, action.data.len);
            break;
        default:
            break;
        }
    }
full:
    /* What was not taken goes to the front, and what comes next behind it. */
    memmove(rx, next, rx_len);
    if (action.type != MQTTP2P_ACTION_WAIT && mqttp2p_due_at(client, &action.at_ms) != MQTTP2P_OK)
        action.at_ms = MQTTP2P_NEVER;
    return action.at_ms;
}

int main(void)
{
    mqttp2p_config_t config = MQTTP2P_CONFIG_INIT;
    mqttp2p_filter_t filter;
    mqttp2p_client_t *client;

    config.seed = 1 + (uint64_t)board_clock(); /* Better: of a number that every device has of its own. */
    config.max_packet_size = RX_SIZE;
    if (mqttp2p_client_init(&memory, sizeof memory, &config, buffer, sizeof buffer, &client) != MQTTP2P_OK)
        return 1;

    filter.filter = bytes("site/meter-1/set", 16);
    filter.qos = 1;
    mqttp2p_subscribe(client, &filter, 1, NULL);
    mqttp2p_connect(client, board_clock());

    for (;;) {
        uint64_t until = drive(client);
        board_sleep(until > UINT32_MAX ? UINT32_MAX : (uint32_t)until);
        rx_len += board_read(rx + rx_len, sizeof rx - rx_len);
        if (!board_is_open())
            mqttp2p_transport_closed(client, board_clock(), MQTTP2P_REASON_CLOSED_BY_PEER);
        switch (board_button()) {
        case BOARD_PUBLISH:
            mqttp2p_publish(client, bytes(TOPIC, sizeof TOPIC - 1), bytes("on", 2), 1, 0, NULL);
            break;
        case BOARD_LEAVE:
            mqttp2p_disconnect(client, board_clock());
            break;
        default:
            break;
        }
    }
}
