/*
 * What one message costs through the C interface, for callgrind: a connected client over a transport in memory that takes
 * all it is offered. Topic 32 bytes, payload 64.
 *
 *     instructions ROW TIMES
 *
 * Its caller runs it with N and with 2N; the difference by N is the cost of one, without start-up; that of the row
 * "empty" is taken off.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mqttp2p.h"

#define MOST_AT_ONCE 100

static const char TOPIC[] = "site-01/p2p/GID_devices@@@000042";
static uint8_t payload[64];
static mqttp2p_client_t *client;
/* Somewhere for what went out, and for what came. */
static volatile size_t out;

/* Does what the client says until there is nothing to do. */
static void drain(const uint8_t *rx, size_t len)
{
    mqttp2p_action_t action;
    while (mqttp2p_poll(client, 1000, &rx, &len, &action) == MQTTP2P_OK) {
        if (action.type == MQTTP2P_ACTION_TRANSMIT) {
            out = action.data.len;
            if (mqttp2p_transmitted(client, action.data.len) == MQTTP2P_WAIT && len == 0)
                return;
        } else {
            out = action.type;
        }
    }
}

static void publish_0(void)
{
    mqttp2p_publish(client, mqttp2p_bytes(TOPIC, 32), mqttp2p_bytes(payload, 64), 0, 0, NULL);
    drain(NULL, 0);
}

static void publish_1(void)
{
    uint32_t ticket = 0;
    uint8_t puback[4] = {0x40, 2, 0, 0};
    mqttp2p_publish(client, mqttp2p_bytes(TOPIC, 32), mqttp2p_bytes(payload, 64), 1, 0, &ticket);
    drain(NULL, 0);
    /* The packet identifier is the ticket's lower half. */
    puback[2] = (uint8_t)(ticket >> 8);
    puback[3] = (uint8_t)ticket;
    drain(puback, sizeof puback);
}

/* So many publications, then all that the client does about them. */
static void publish_0_at_once(size_t count)
{
    size_t i;
    for (i = 0; i < count; i++)
        mqttp2p_publish(client, mqttp2p_bytes(TOPIC, 32), mqttp2p_bytes(payload, 64), 0, 0, NULL);
    drain(NULL, 0);
}

/* So many publications, all that the client does about them, and then their PUBACKs, which come together. */
static void publish_1_at_once(size_t count)
{
    static uint8_t pubacks[4 * MOST_AT_ONCE];
    uint8_t *puback = pubacks;
    size_t i;
    for (i = 0; i < count; i++, puback += 4) {
        uint32_t ticket = 0;
        mqttp2p_publish(client, mqttp2p_bytes(TOPIC, 32), mqttp2p_bytes(payload, 64), 1, 0, &ticket);
        puback[0] = 0x40;
        puback[1] = 2;
        puback[2] = (uint8_t)(ticket >> 8);
        puback[3] = (uint8_t)ticket;
    }
    drain(NULL, 0);
    drain(pubacks, 4 * count);
}

static void publish_0_10(void)
{
    publish_0_at_once(10);
}

static void publish_0_100(void)
{
    publish_0_at_once(100);
}

static void publish_1_10(void)
{
    publish_1_at_once(10);
}

static void publish_1_100(void)
{
    publish_1_at_once(100);
}

static uint8_t message[2 + 2 + 32 + 64] = {0x30, 2 + 32 + 64, 0, 32};

static void receive_0(void)
{
    drain(message, sizeof message);
}

static void nothing(void)
{
}

static void connect_client(int tell_qos_0)
{
    static mqttp2p_client_memory_t memory;
    static uint32_t buffer[MQTTP2P_BUFFER_SIZE(256, 4, 1024, 128, 65536) / 4];
    static const uint8_t CONNACK[] = {0x20, 2, 0, 0};
    mqttp2p_config_t config = MQTTP2P_CONFIG_INIT;
    mqttp2p_login_t login = MQTTP2P_LOGIN_INIT;
    mqttp2p_action_t action;
    config.seed = 42;
    config.requests = 256;
    config.control_bytes = 1024;
    config.max_in_flight = MOST_AT_ONCE;
    config.tell_qos_0 = (uint8_t)tell_qos_0;
    if (mqttp2p_client_init(&memory, sizeof memory, &config, buffer, sizeof buffer, &client) != MQTTP2P_OK)
        abort();
    login.client_id = mqttp2p_str("GID_devices@@@000001");
    mqttp2p_connect(client, 1000);
    if (mqttp2p_poll(client, 1000, NULL, NULL, &action) != MQTTP2P_OK || action.type != MQTTP2P_ACTION_OPEN_TRANSPORT)
        abort();
    mqttp2p_transport_opened(client, 1000, &login);
    drain(NULL, 0);
    drain(CONNACK, sizeof CONNACK);
    if (mqttp2p_is_connected(client) != 1)
        abort();
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
        int tell_qos_0;
    } ROWS[] = {
        {"empty", nothing, 1},
        {"publish-0", publish_0, 1},
        {"publish-0-10", publish_0_10, 1},
        {"publish-0-100", publish_0_100, 1},
        {"publish-0-silent", publish_0, 0},
        {"publish-0-silent-10", publish_0_10, 0},
        {"publish-0-silent-100", publish_0_100, 0},
        {"publish-1", publish_1, 1},
        {"publish-1-10", publish_1_10, 1},
        {"publish-1-100", publish_1_100, 1},
        {"receive-0", receive_0, 1},
    };
    unsigned long times, i;
    size_t row;
    size_t open = 0;
    if (argc != 3)
        return 2;
    times = strtoul(argv[2], NULL, 10);
    memcpy(message + 4, TOPIC, 32);
    memset(payload, 'x', sizeof payload);
    memcpy(message + 36, payload, 64);
    for (row = 0; row < sizeof ROWS / sizeof ROWS[0]; row++)
        if (strcmp(argv[1], ROWS[row].name) == 0) {
            connect_client(ROWS[row].tell_qos_0);
            for (i = 0; i < times; i++)
                ROWS[row].run();
        }
    /* Every request has ended, or the row does not measure what it says. */
    mqttp2p_requests(client, NULL, 0, &open);
    return open != 0;
}
