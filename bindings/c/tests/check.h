/* What the tests in C share: checks that say where they failed, and a client whose server is the test itself. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mqttp2p.h"

static int checks_failed;

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                                   \
            checks_failed++;                                                                                 \
        }                                                                                                    \
    } while (0)

#define CHECK_STATUS(call, expected)                                                                         \
    do {                                                                                                     \
        int32_t status_ = (call);                                                                            \
        if (status_ != (expected)) {                                                                         \
            printf("%s:%d: %s is %d, not %s\n", __FILE__, __LINE__, #call, (int)status_, #expected);         \
            checks_failed++;                                                                                 \
        }                                                                                                    \
    } while (0)

#define OK(call) CHECK_STATUS(call, MQTTP2P_OK)

/* A literal as bytes, without its NUL. */
#define BYTES(literal) mqttp2p_bytes("" literal, sizeof("" literal) - 1)

static int is(mqttp2p_bytes_t bytes, const void *expected, size_t len)
{
    return bytes.len == len && (len == 0 || memcmp(bytes.ptr, expected, len) == 0);
}
#define IS(bytes, literal) is(bytes, literal, sizeof(literal) - 1)

/* A client, its clock, and what has come in. */
typedef struct bench_t {
    mqttp2p_client_t *client;
    uint64_t now;
    const uint8_t *rx;
    size_t rx_len;
    mqttp2p_action_t action;
    /* What went out since it was looked at last. */
    uint8_t sent[4096];
    size_t sent_len;
} bench_t;

/* Polls up to the next action that is not a transmission; those are noted. */
static int32_t step(bench_t *bench)
{
    for (;;) {
        int32_t status = mqttp2p_poll(bench->client, bench->now, &bench->rx, &bench->rx_len, &bench->action);
        if (status != MQTTP2P_OK || bench->action.type != MQTTP2P_ACTION_TRANSMIT)
            return status;
        CHECK(bench->action.data.len > 0 && bench->sent_len + bench->action.data.len <= sizeof bench->sent);
        memcpy(bench->sent + bench->sent_len, bench->action.data.ptr, bench->action.data.len);
        bench->sent_len += bench->action.data.len;
        CHECK(mqttp2p_transmitted(bench->client, bench->action.data.len) >= 0);
    }
}

static void receive(bench_t *bench, const void *bytes, size_t len)
{
    CHECK(bench->rx_len == 0);
    bench->rx = (const uint8_t *)bytes;
    bench->rx_len = len;
}
#define RECEIVE(bench, literal) receive(bench, literal, sizeof(literal) - 1)

/* The next thing that happens is of this type. */
#define EXPECT(bench, expected)                                                                              \
    do {                                                                                                     \
        CHECK_STATUS(step(bench), (expected) == MQTTP2P_ACTION_WAIT ? MQTTP2P_WAIT : MQTTP2P_OK);            \
        if ((bench)->action.type != (expected)) {                                                            \
            printf("%s:%d: action %u, not %s\n", __FILE__, __LINE__, (unsigned)(bench)->action.type, #expected); \
            checks_failed++;                                                                                 \
        }                                                                                                    \
    } while (0)

/* Exactly these bytes went out. */
#define SENT(bench, literal)                                                                                 \
    do {                                                                                                     \
        CHECK(is(mqttp2p_bytes((bench)->sent, (bench)->sent_len), literal, sizeof(literal) - 1));            \
        (bench)->sent_len = 0;                                                                               \
    } while (0)

/* From the wish to be connected to CONNACK. */
static inline void go_online(bench_t *bench, int session_present)
{
    static const uint8_t CONNACK[2][4] = {{0x20, 2, 0, 0}, {0x20, 2, 1, 0}};
    mqttp2p_login_t login = MQTTP2P_LOGIN_INIT;
    login.client_id = mqttp2p_str("c");
    OK(mqttp2p_connect(bench->client, bench->now));
    EXPECT(bench, MQTTP2P_ACTION_OPEN_TRANSPORT);
    OK(mqttp2p_transport_opened(bench->client, bench->now, &login));
    EXPECT(bench, MQTTP2P_ACTION_WAIT);
    receive(bench, CONNACK[session_present], 4);
    EXPECT(bench, MQTTP2P_EVENT_CONNECTED);
    CHECK(bench->action.flag == session_present);
    bench->sent_len = 0;
}

/* A client on the heap, not connected. */
static inline bench_t made(const mqttp2p_config_t *config)
{
    mqttp2p_config_t any = MQTTP2P_CONFIG_INIT;
    bench_t bench;
    memset(&bench, 0, sizeof bench);
    bench.now = 1000;
    OK(mqttp2p_client_new(config != NULL ? config : &any, 0, &bench.client));
    return bench;
}

/* The same, connected to a server that knows no session. */
static inline bench_t online(const mqttp2p_config_t *config)
{
    bench_t bench = made(config);
    go_online(&bench, 0);
    return bench;
}

#endif
