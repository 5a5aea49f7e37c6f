/*
 * Any bytes through the C interface: each input is a program of calls with their arguments, right and wrong ones, on
 * clients whose memory ends where it must not be passed. Run it under AddressSanitizer and UBSan.
 *
 *     fuzz COUNT [SEED]     makes so many inputs, at random and by mutation
 *     fuzz FILE...          takes these, such as the corpus that libFuzzer kept
 *     clang -DLIBFUZZER -fsanitize=fuzzer,address,undefined ...     lets libFuzzer make them
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mqttp2p.h"

/* What must hold whatever comes in. */
#define MUST(condition)                                                                                      \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                          \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

/* ---- the input ---- */

typedef struct input_t {
    const uint8_t *next;
    size_t left;
} input_t;

static uint8_t byte(input_t *input)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->next++;
}

static uint32_t word(input_t *input)
{
    uint32_t value = byte(input);
    value = value << 8 | byte(input);
    value = value << 8 | byte(input);
    return value << 8 | byte(input);
}

/* Up to `max` bytes, copied to memory of just that length, so that a read past their end is seen. Never NULL, but for
 * one case in sixteen, which says that there are bytes where there are none. */
static mqttp2p_bytes_t bytes(input_t *input, size_t max, void **to_free)
{
    uint8_t head = byte(input);
    size_t len = max == 0 ? 0 : (size_t)(head & 0x0f) % (max + 1);
    uint8_t *copy;
    if (head >= 0xf8) {
        *to_free = NULL;
        return mqttp2p_bytes(NULL, len);
    }
    if (len > input->left)
        len = input->left;
    copy = malloc(len + 1);
    MUST(copy != NULL);
    /* The last byte is not the range's. */
    memcpy(copy + 1, input->next, len);
    input->next += len;
    input->left -= len;
    *to_free = copy;
    return mqttp2p_bytes(copy + 1, len);
}

/* Topics that are good more often than any bytes would be. */
static mqttp2p_bytes_t topic(input_t *input, void **to_free)
{
    static const char *const GOOD[] = {"t", "a/b", "a/+", "#", "dev/p2p/GID_x@@@1", "$SYS/tokenExpireNotice"};
    uint8_t head = byte(input);
    if (head < 200) {
        *to_free = NULL;
        return mqttp2p_str(GOOD[head % (sizeof GOOD / sizeof GOOD[0])]);
    }
    return bytes(input, 15, to_free);
}

/* ---- a client ---- */

/* How often each type of action was seen: inputs that never get anywhere prove nothing. */
static unsigned long seen[MQTTP2P_EVENT_OTHER + 1];
static unsigned long websocket_opens, websocket_ends;

typedef struct fuzz_t {
    mqttp2p_client_t *client;
    void *memory, *buffer;
    uint64_t now;
    /* What came and was not taken. */
    uint8_t *rx;
    size_t rx_len;
    int on_heap;
} fuzz_t;

static int32_t known(int32_t status)
{
    const char *text = mqttp2p_status_str(status);
    MUST(status >= 0 || strcmp(text, "unknown status") != 0);
    MUST(status != MQTTP2P_E_PANIC && status != MQTTP2P_E_UNKNOWN && status != MQTTP2P_E_BUSY);
    return status;
}

static void begin(fuzz_t *fuzz, input_t *input)
{
    mqttp2p_config_t config = MQTTP2P_CONFIG_INIT;
    uint8_t kind = byte(input);
    int32_t status;
    memset(fuzz, 0, sizeof *fuzz);
    config.seed = 1 + (uint64_t)byte(input);
    config.keep_alive_secs = byte(input);
    config.max_in_flight = byte(input) & 3;
    config.max_packet_size = 16 + byte(input);
    config.manual_ack = kind & 1;
    config.clean_session = kind >> 1 & 1;
    config.resubscribe = (uint8_t)(kind >> 2 & 3);
    config.offline = (uint8_t)(kind >> 4 & 3);
    config.backoff_cap_ms = kind & 1 ? 0 : 60000;
    config.requests = byte(input) & 7;
    config.inbound = byte(input) & 3;
    config.control_bytes = byte(input);
    config.subscription_bytes = byte(input) & 63;
    fuzz->on_heap = kind >> 6 & 1;
    if (fuzz->on_heap) {
        status = mqttp2p_client_new(&config, 1 + word(input) % 4096, &fuzz->client);
    } else {
        size_t room = MQTTP2P_BUFFER_SIZE(config.requests, config.inbound, config.control_bytes,
                                          config.subscription_bytes, byte(input));
        size_t size = mqttp2p_client_size();
        if (byte(input) == 1)
            room /= 2;
        if (byte(input) == 1)
            size /= 2;
        fuzz->memory = malloc(size);
        fuzz->buffer = malloc(room + 1);
        MUST(fuzz->memory != NULL && fuzz->buffer != NULL);
        status = mqttp2p_client_init(fuzz->memory, size, &config, fuzz->buffer, room, &fuzz->client);
    }
    known(status);
    if (status != MQTTP2P_OK)
        fuzz->client = NULL;
    kind = byte(input);
    if ((kind & 3) == 1)
        known(mqttp2p_keep_session(fuzz->client));
    if ((kind >> 2 & 3) == 1)
        known(mqttp2p_tell_in_parts(fuzz->client, byte(input) & 15));
    if ((kind >> 4 & 7) == 1)
        known(mqttp2p_pace(fuzz->client, byte(input)));
}

static void end(fuzz_t *fuzz)
{
    if (fuzz->on_heap) {
        known(mqttp2p_client_free(fuzz->client));
    } else if (fuzz->client != NULL) {
        MUST(mqttp2p_client_deinit(fuzz->client) == MQTTP2P_OK);
        MUST(mqttp2p_connect(fuzz->client, 0) == MQTTP2P_E_NO_OBJECT);
    }
    free(fuzz->memory);
    free(fuzz->buffer);
    free(fuzz->rx);
}

/* Reads every byte of a range. */
static unsigned read_all(mqttp2p_bytes_t range)
{
    unsigned sum = 0;
    size_t i;
    for (i = 0; i < range.len; i++)
        sum += range.ptr[i];
    return sum;
}

static void open_transport(fuzz_t *fuzz, input_t *input)
{
    mqttp2p_login_t login = MQTTP2P_LOGIN_INIT;
    void *to_free[4] = {NULL, NULL, NULL, NULL};
    uint8_t kind = byte(input);
    size_t i;
    login.client_id = mqttp2p_str("c");
    if (kind & 1)
        login.client_id = bytes(input, 15, &to_free[0]);
    if (kind & 2)
        login.user_name = bytes(input, 15, &to_free[1]);
    if (kind & 4)
        login.password = bytes(input, 15, &to_free[2]);
    if (kind & 8) {
        login.will_topic = topic(input, &to_free[3]);
        login.will_qos = byte(input) & 3;
    }
    if (kind == 0xff)
        login.struct_size = byte(input);
    known(mqttp2p_transport_opened(fuzz->client, fuzz->now, &login));
    for (i = 0; i < 4; i++)
        free(to_free[i]);
}

/* More bytes have come: they lie in memory of just the right length, so that a read past what came is seen. */
static void append(fuzz_t *fuzz, const uint8_t *more, size_t len)
{
    uint8_t *rx;
    if (len == 0 || fuzz->rx_len > 4096)
        return;
    rx = malloc(fuzz->rx_len + len);
    MUST(rx != NULL);
    if (fuzz->rx_len > 0)
        memcpy(rx, fuzz->rx, fuzz->rx_len);
    memcpy(rx + fuzz->rx_len, more, len);
    free(fuzz->rx);
    fuzz->rx = rx;
    fuzz->rx_len += len;
}

/* What a server answers to packets. */
static size_t answer(mqttp2p_bytes_t packets, uint8_t *room, size_t size)
{
    size_t len, done = 0;
    while (mqttp2p_packet_len(packets, &len) == MQTTP2P_OK) {
        const uint8_t *packet = packets.ptr, *id = packet + 2;
        uint8_t made[8] = {0, 2, 0, 0, 0, 0, 0, 0};
        if (done + sizeof made > size)
            break;
        switch (packet[0] >> 4) {
        case 1:
            made[0] = 0x20;
            id = made + 2;
            break;
        case 3:
            made[0] = packet[0] & 2 ? 0x40 : 0x50;
            id = packet + 4 + packet[3];
            if ((packet[0] & 6) == 0 || packet[1] >= 128 || packet[2] != 0)
                made[0] = 0;
            break;
        case 6:
            made[0] = 0x70;
            break;
        case 8:
            made[0] = 0x90;
            made[1] = 3;
            made[4] = 1;
            if (packet[1] >= 128)
                made[0] = 0;
            break;
        case 10:
            made[0] = 0xb0;
            if (packet[1] >= 128)
                made[0] = 0;
            break;
        case 12:
            made[0] = 0xd0;
            made[1] = 0;
            break;
        default:
            break;
        }
        if (made[0] != 0) {
            made[2] = made[1] != 0 ? id[0] : 0;
            made[3] = made[1] != 0 ? id[1] : 0;
            memcpy(room + done, made, 2u + made[1]);
            done += 2u + made[1];
        }
        packets.ptr += len;
        packets.len -= len;
    }
    return done;
}

/* Polls until there is nothing to do, in a bounded number of steps. */
static void drain(fuzz_t *fuzz, input_t *input)
{
    mqttp2p_action_t action;
    const uint8_t *rx = fuzz->rx;
    size_t len = fuzz->rx_len, most = 400 + 4 * fuzz->rx_len, i;
    uint8_t way = byte(input), answers[64];
    size_t answered = 0;
    for (i = 0; i < most; i++) {
        const uint8_t *before = rx;
        int32_t status = known(mqttp2p_poll(fuzz->client, fuzz->now, &rx, &len, &action));
        MUST(fuzz->rx == NULL || (rx >= before && rx + len == fuzz->rx + fuzz->rx_len));
        if (status >= 0)
            seen[action.type]++;
        if (status != MQTTP2P_OK)
            break;
        switch (action.type) {
        case MQTTP2P_ACTION_TRANSMIT:
            MUST(action.data.len > 0);
            read_all(action.data);
            if (way >= 64)
                answered += answer(action.data, answers + answered, sizeof answers - answered);
            if (way == 1)
                goto out; /* The transport takes no bytes. */
            known(mqttp2p_transmitted(fuzz->client, way == 2 ? 1 : action.data.len));
            break;
        case MQTTP2P_ACTION_OPEN_TRANSPORT:
            if (way == 3)
                known(mqttp2p_transport_closed(fuzz->client, fuzz->now, MQTTP2P_REASON_UNREACHABLE));
            else if (way != 4)
                open_transport(fuzz, input);
            break;
        case MQTTP2P_EVENT_MESSAGE:
        case MQTTP2P_EVENT_MESSAGE_BEGIN:
            MUST(action.topic.ptr >= fuzz->rx && action.topic.ptr + action.topic.len <= fuzz->rx + fuzz->rx_len);
            read_all(action.topic);
            if (action.type == MQTTP2P_EVENT_MESSAGE)
                read_all(action.data);
            if (way == 5)
                known(mqttp2p_acknowledge(fuzz->client, action.ack));
            break;
        case MQTTP2P_EVENT_MESSAGE_PART:
        case MQTTP2P_EVENT_SUBSCRIBED:
        case MQTTP2P_EVENT_RESUBSCRIBED:
        case MQTTP2P_ACTION_STORE_PUT:
            read_all(action.data);
            break;
        default:
            MUST(action.type != MQTTP2P_EVENT_OTHER);
            break;
        }
    }
    /* With one byte written at a time there are more steps than that. */
    MUST(i < most || way == 2);
out:
    if (fuzz->rx != NULL)
        memmove(fuzz->rx, rx, len);
    fuzz->rx_len = len;
    append(fuzz, answers, answered);
}

/* What a server may say, with one byte of it another now and then. */
static void come_in(fuzz_t *fuzz, input_t *input)
{
    static const struct {
        const char *bytes;
        size_t len;
    } PACKETS[] = {
        {"\x20\2\0\0", 4},         {"\x20\2\1\0", 4},       {"\x20\2\0\4", 4},         {"\x40\2\0\1", 4},
        {"\x50\2\0\1", 4},         {"\x62\2\0\1", 4},       {"\x70\2\0\1", 4},         {"\x90\3\0\1\1", 5},
        {"\xb0\2\0\1", 4},         {"\xd0\0", 2},           {"\x30\4\0\1tx", 6},       {"\x32\6\0\1t\0\1x", 8},
        {"\x34\6\0\1t\0\1x", 8},   {"\x90\3\xff\xff\1", 5}, {"\x40\2\xff\xfe", 4},     {"\x32\x20\0\1t\0\1xxxxxxxx", 15},
        {"\x90\4\0\1\1\x80", 6},
    };
    uint8_t kind = byte(input);
    void *to_free = NULL;
    mqttp2p_bytes_t piece;
    uint8_t changed[16];
    if (kind < 220) {
        size_t which = kind % (sizeof PACKETS / sizeof PACKETS[0]);
        uint8_t change = byte(input);
        memcpy(changed, PACKETS[which].bytes, PACKETS[which].len);
        piece = mqttp2p_bytes(changed, PACKETS[which].len);
        if (change >= 128) /* The packet identifier, mostly. */
            changed[PACKETS[which].len - 1 - change % 2] = byte(input);
        if (change >= 240)
            changed[byte(input) % PACKETS[which].len] = byte(input);
        if (change == 127)
            piece.len -= 1;
    } else {
        piece = bytes(input, 15, &to_free);
    }
    if (piece.ptr != NULL)
        append(fuzz, piece.ptr, piece.len);
    free(to_free);
}

static void session(fuzz_t *fuzz, input_t *input)
{
    size_t len = 0, size;
    uint8_t *copy;
    uint8_t kind = byte(input);
    known(mqttp2p_session_export(fuzz->client, NULL, 0, &len));
    MUST(len < 1000000);
    copy = malloc(len + 1);
    MUST(copy != NULL);
    if (len > 0 && known(mqttp2p_session_export(fuzz->client, copy, len, &size)) == MQTTP2P_OK) {
        mqttp2p_client_t *other = NULL;
        mqttp2p_config_t config = MQTTP2P_CONFIG_INIT;
        int32_t status;
        MUST(size == len);
        if (kind != 0)
            copy[word(input) % len] ^= kind;
        MUST(mqttp2p_client_new(&config, 0, &other) == MQTTP2P_OK);
        status = known(mqttp2p_session_import(other, mqttp2p_bytes(copy, len)));
        MUST(kind == 0 ? status == MQTTP2P_OK : status < 0);
        MUST(mqttp2p_client_free(other) == MQTTP2P_OK);
    }
    free(copy);
}

static void restore(fuzz_t *fuzz, input_t *input)
{
    mqttp2p_record_t records[3];
    void *to_free[3];
    mqttp2p_client_t *other = NULL;
    mqttp2p_config_t config = MQTTP2P_CONFIG_INIT;
    size_t i, j;
    (void)fuzz;
    for (i = 0; i < 3; i++) {
        memset(records[i].key, 0, sizeof records[i].key);
        records[i].key[0] = byte(input) & 3;
        for (j = 3; j < sizeof records[i].key; j++)
            records[i].key[j] = byte(input);
        records[i].value = bytes(input, 15, &to_free[i]);
    }
    MUST(mqttp2p_client_new(&config, 0, &other) == MQTTP2P_OK);
    known(mqttp2p_session_restore(other, records, byte(input) & 3));
    MUST(mqttp2p_client_free(other) == MQTTP2P_OK);
    for (i = 0; i < 3; i++)
        free(to_free[i]);
}

/* ApsaraMQ's texts. */
static void texts(input_t *input)
{
    void *to_free[5];
    mqttp2p_bytes_t a = bytes(input, 15, &to_free[0]), b = bytes(input, 15, &to_free[1]), part, rest;
    uint8_t kind = byte(input);
    size_t room = byte(input) % 64, len;
    uint8_t *out = malloc(room + 1), signature[MQTTP2P_ALIYUN_SIGNATURE_LEN];
    mqttp2p_p2p_t p2p;
    mqttp2p_token_notice_t notice;
    mqttp2p_credentials_t credentials = MQTTP2P_CREDENTIALS_INIT;
    mqttp2p_login_t login = MQTTP2P_LOGIN_INIT;
    MUST(out != NULL);
    known(mqttp2p_aliyun_client_id(a, b, out, room, &len));
    known(mqttp2p_aliyun_client_id(mqttp2p_str("GID_fuzz"), b, out, room, &len));
    known(mqttp2p_aliyun_parse_client_id(a, &part, &rest));
    known(mqttp2p_aliyun_p2p_topic(a, b, out, room, &len));
    known(mqttp2p_aliyun_p2p_topic(mqttp2p_str("fuzz"), b, out, room, &len));
    if (known(mqttp2p_aliyun_parse_p2p(a, &p2p)) == MQTTP2P_OK)
        read_all(p2p.parent), read_all(p2p.target), read_all(p2p.rest);
    known(mqttp2p_aliyun_token_notice(mqttp2p_str(kind & 1 ? "$SYS/tokenExpireNotice" : "$SYS/tokenInvalidNotice"), a,
                                      &notice));
    known(mqttp2p_aliyun_write_upload(kind, a, out, room, &len));
    known(mqttp2p_aliyun_sign(a, b, signature));
    known(mqttp2p_aliyun_verify_signature(a, b, b));
    known(mqttp2p_aliyun_topic_warning(a));
    known(mqttp2p_aliyun_same_topic(a, b));
    known(mqttp2p_topic_matches(a, b));
    known(mqttp2p_topic_matches(mqttp2p_str("a/+/#"), b));
    known(mqttp2p_packet_len(a, &len));
    known(mqttp2p_reason_describe(kind, out, room, &len));
    credentials.mode = kind & 7;
    credentials.access_key_id = a;
    credentials.secret = b;
    credentials.instance_id = bytes(input, 15, &to_free[2]);
    credentials.user_name = bytes(input, 15, &to_free[3]);
    credentials.token_rw = bytes(input, 15, &to_free[4]);
    if (known(mqttp2p_aliyun_log_in(&credentials, mqttp2p_str("c"), out, room, &len, &login)) == MQTTP2P_OK)
        read_all(login.user_name), read_all(login.password);
    free(out);
    free(to_free[0]), free(to_free[1]), free(to_free[2]), free(to_free[3]), free(to_free[4]);
}

/* Objects of the service's rules. */
static void rules(input_t *input)
{
    mqttp2p_token_lifecycle_memory_t life_memory;
    mqttp2p_diagnosis_memory_t diagnosis_memory;
    mqttp2p_token_lifecycle_t *life = NULL;
    mqttp2p_diagnosis_t *diagnosis = NULL;
    mqttp2p_cause_t cause;
    uint64_t now = 1000000, at;
    int i;
    known(mqttp2p_token_lifecycle_init(&life_memory, sizeof life_memory, byte(input), NULL, &life));
    MUST(mqttp2p_diagnosis_init(&diagnosis_memory, sizeof diagnosis_memory, &diagnosis) == MQTTP2P_OK);
    for (i = 0; i < 8; i++) {
        void *to_free;
        mqttp2p_bytes_t name = topic(input, &to_free);
        mqttp2p_token_notice_t notice;
        uint8_t kind = byte(input);
        now += word(input);
        notice.type = byte(input);
        notice.token = byte(input);
        notice.expires_at_ms = now + word(input);
        notice.code = byte(input);
        known(mqttp2p_token_lifecycle_obtained(life, kind & 7, now, now + word(input)));
        known(mqttp2p_token_lifecycle_due(life, now));
        known(mqttp2p_token_lifecycle_due_at(life, now, &at));
        known(kind & 8 ? mqttp2p_token_lifecycle_log_in(life, now) : mqttp2p_token_lifecycle_logged_in(life, now));
        known(kind & 16 ? mqttp2p_token_lifecycle_refused(life, now) : mqttp2p_token_lifecycle_upload(life, kind & 7, now));
        known(mqttp2p_token_lifecycle_notice(life, &notice, now));
        known(mqttp2p_diagnosis_used(diagnosis, name, word(input), now));
        known(kind & 32 ? mqttp2p_diagnosis_connected(diagnosis, now) : mqttp2p_diagnosis_confirmed(diagnosis, name));
        known(mqttp2p_diagnosis_explain(diagnosis, kind & 64 ? 116 : kind, now, &cause));
        read_all(cause.parent), read_all(cause.advice);
        free(to_free);
    }
}

/* A WebSocket connection from its request on. */
static void websocket(input_t *input)
{
    /* The answer to the request of this seed. */
    static const char GOOD[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                               "Sec-WebSocket-Accept: c4e9up53ccY2S2qxkPKAEC4W3LM=\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n";
    mqttp2p_websocket_memory_t memory;
    mqttp2p_websocket_t *socket = NULL;
    uint8_t seed[16] = {7}, request[256], *out, *answer;
    void *to_free[2];
    mqttp2p_bytes_t host = bytes(input, 15, &to_free[0]), path = bytes(input, 15, &to_free[1]);
    size_t room = byte(input), len = 0, i;
    MUST(mqttp2p_websocket_init(&memory, sizeof memory, seed, &socket) == MQTTP2P_OK);
    out = malloc(room + 1);
    answer = malloc(sizeof GOOD - 1);
    MUST(out != NULL && answer != NULL);
    if (byte(input) & 1)
        known(mqttp2p_websocket_open(socket, host, path, byte(input) & 7, out, room, &len));
    MUST(mqttp2p_websocket_init(&memory, sizeof memory, seed, &socket) == MQTTP2P_OK);
    MUST(mqttp2p_websocket_open(socket, mqttp2p_str("h"), mqttp2p_str("/mqtt"), 4, request, sizeof request, &len) ==
         MQTTP2P_OK);
    memcpy(answer, GOOD, sizeof GOOD - 1);
    for (i = byte(input) & 3; i > 0; i--)
        answer[byte(input) % (sizeof GOOD - 1)] = byte(input);
    known(mqttp2p_websocket_receive(socket, answer, byte(input) == 1 ? byte(input) % sizeof GOOD : sizeof GOOD - 1, &len));
    MUST(len == 0);
    for (i = byte(input) & 7; i > 0; i--) {
        static const uint8_t PACKETS[] = {0xc0, 0, 0x30, 4, 0, 1, 't', 'x', 0x40, 2, 0};
        void *raw_free;
        mqttp2p_bytes_t raw = bytes(input, 15, &raw_free);
        /* The copy, which may be written to. */
        uint8_t *own = raw_free == NULL ? NULL : (uint8_t *)raw_free + 1;
        size_t kept = 0, taken = 0;
        uint32_t detail;
        int32_t reason;
        known(mqttp2p_websocket_receive(socket, own, raw.len, &kept));
        MUST(kept <= raw.len);
        /* The last packet may end later, or lack its length. */
        const size_t size = sizeof PACKETS - (raw.len & 3);
        known(mqttp2p_websocket_transmit(socket, mqttp2p_bytes(PACKETS, size), out, room, &taken, &len));
        MUST(len <= room && taken <= size);
        known(mqttp2p_websocket_wants_transmit(socket));
        websocket_ends += mqttp2p_websocket_end(socket, &reason, &detail) == MQTTP2P_OK;
        websocket_opens += mqttp2p_websocket_is_open(socket) == 1;
        if (byte(input) == 7)
            known(mqttp2p_websocket_close(socket));
        free(raw_free);
    }
    free(out);
    free(answer);
    free(to_free[0]), free(to_free[1]);
}

/* Memory that holds no object. */
static void no_object(input_t *input)
{
    mqttp2p_client_memory_t memory;
    mqttp2p_action_t action;
    mqttp2p_client_t *client = (mqttp2p_client_t *)&memory;
    size_t i;
    /* Never the word by which an object is known, which libFuzzer finds out: it has bytes below 0x80. */
    for (i = 0; i < sizeof memory.bytes; i++)
        memory.bytes[i] = byte(input) | 0x80;
    if (byte(input) & 1)
        client = (mqttp2p_client_t *)(memory.bytes + (byte(input) & 15));
    MUST(mqttp2p_poll(client, 0, NULL, NULL, &action) < 0);
    MUST(mqttp2p_client_free(client) < 0);
    MUST(mqttp2p_client_deinit(client) < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input_t all, *input = &all;
    fuzz_t fuzz;
    uint32_t ticket;
    all.next = data;
    all.left = size;
    begin(&fuzz, input);
    while (input->left > 0) {
        void *to_free = NULL, *also = NULL;
        uint8_t what = byte(input);
        switch (what & 31) {
        case 0:
            known(mqttp2p_connect(fuzz.client, fuzz.now));
            break;
        case 1:
            known(mqttp2p_disconnect(fuzz.client, fuzz.now));
            break;
        case 2:
            known(what & 32 ? mqttp2p_pause(fuzz.client, fuzz.now) : mqttp2p_resume(fuzz.client, fuzz.now));
            break;
        case 3:
            open_transport(&fuzz, input);
            break;
        case 4:
            known(mqttp2p_transport_closed(fuzz.client, fuzz.now, 100 + (byte(input) & 31)));
            fuzz.rx_len = 0;
            break;
        case 5:
            known(mqttp2p_transmitted(fuzz.client, what & 32 ? SIZE_MAX : byte(input)));
            break;
        case 6: {
            mqttp2p_bytes_t name = topic(input, &to_free);
            known(mqttp2p_publish(fuzz.client, name, bytes(input, 15, &also), byte(input) & 3, byte(input) & 3, &ticket));
            break;
        }
        case 7: {
            mqttp2p_bytes_t target = topic(input, &to_free);
            known(mqttp2p_publish_p2p(fuzz.client, mqttp2p_str("dev"), target, bytes(input, 15, &also), byte(input) & 3,
                                      NULL));
            break;
        }
        case 8: {
            mqttp2p_bytes_t name = topic(input, &to_free);
            known(mqttp2p_publish_alone(fuzz.client, name, bytes(input, 15, &also)));
            break;
        }
        case 9: {
            mqttp2p_filter_t filters[MQTTP2P_MAX_FILTERS + 1];
            mqttp2p_bytes_t name = topic(input, &to_free);
            size_t i, count = byte(input) % (MQTTP2P_MAX_FILTERS + 2);
            for (i = 0; i < MQTTP2P_MAX_FILTERS + 1; i++) {
                filters[i].filter = i & 1 ? name : mqttp2p_str("a/#");
                filters[i].qos = (uint8_t)(i == 9 ? byte(input) & 3 : i & 1);
            }
            known(mqttp2p_subscribe(fuzz.client, filters, count, &ticket));
            break;
        }
        case 10: {
            mqttp2p_bytes_t names[2];
            names[0] = topic(input, &to_free);
            names[1] = topic(input, &also);
            known(mqttp2p_unsubscribe(fuzz.client, names, byte(input) & 1 ? 1 : 2, NULL));
            break;
        }
        case 11:
            known(mqttp2p_acknowledge(fuzz.client, (uint64_t)word(input) << 32 | word(input)));
            break;
        case 12:
            known(mqttp2p_abandon(fuzz.client));
            break;
        case 13:
            known(mqttp2p_ping(fuzz.client));
            known(mqttp2p_hold_reading(fuzz.client, fuzz.now, byte(input) & 3));
            break;
        case 14:
            known(mqttp2p_set_protocol(fuzz.client, byte(input) & 7));
            break;
        case 15:
            session(&fuzz, input);
            break;
        case 16:
            restore(&fuzz, input);
            break;
        case 17:
            texts(input);
            break;
        case 18:
            rules(input);
            break;
        case 19:
            no_object(input);
            break;
        case 20: {
            mqttp2p_filter_t filter;
            mqttp2p_stats_t stats;
            uint32_t tickets[2];
            size_t count;
            known(mqttp2p_requests(fuzz.client, tickets, byte(input) & 1 ? 2 : 0, &count));
            if (known(mqttp2p_subscription(fuzz.client, byte(input) & 3, &filter)) == MQTTP2P_OK)
                read_all(filter.filter);
            known(mqttp2p_stats(fuzz.client, &stats));
            known(mqttp2p_is_connected(fuzz.client));
            break;
        }
        case 21:
            fuzz.now += what & 32 ? 100000u : byte(input);
            break;
        case 27:
            websocket(input);
            break;
        case 22:
        case 23:
        case 24:
        case 25:
            come_in(&fuzz, input);
            break;
        default:
            drain(&fuzz, input);
            break;
        }
        free(to_free);
        free(also);
    }
    drain(&fuzz, input);
    end(&fuzz);
    return 0;
}

#ifndef LIBFUZZER

static uint64_t state;

/* xorshift64*: any inputs do, as long as they are the same for a seed. */
static uint32_t next(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)(state * 0x2545f4914f6cdd1du >> 32);
}

enum { POOL = 64, LONGEST = 192 };

/* Takes the inputs that these files hold. */
static int replay(int count, char **names)
{
    int i;
    for (i = 0; i < count; i++) {
        static uint8_t input[1 << 16];
        FILE *file = fopen(names[i], "rb");
        size_t len;
        if (file == NULL) {
            perror(names[i]);
            return 2;
        }
        len = fread(input, 1, sizeof input, file);
        fclose(file);
        LLVMFuzzerTestOneInput(input, len);
    }
    printf("%d inputs, no report\n", count);
    return 0;
}

int main(int argc, char **argv)
{
    /* Programs that get far: made in memory, connected, and some things done. */
    static uint8_t pool[POOL][LONGEST];
    static size_t lengths[POOL];
    static const uint8_t SEED[] = {0, 1, 60, 2, 240, 7, 3, 250, 60, 200, 0, 0, 0, /* begin; connect and be answered */
                                   0, 26, 99, 0, 26, 99,
                                   /* publish, publish alone, subscribe, receive, unsubscribe, come back */
                                   6, 0, 3, 'x', 'y', 'z', 1, 0, 26, 99, 26, 9, 8, 0, 1, 'x', 26, 99, 26, 9, 9, 0, 1, 26, 99,
                                   26, 9, 22, 12, 0, 26, 9, 4, 15, 21, 250, 53, 26, 99, 0, 26, 99, 26, 99, 26, 99, 22, 15, 0,
                                   26, 9, 10, 0, 0, 1, 26, 99, 26, 9};
    unsigned long count, done;
    size_t i;
    if (argc < 2) {
        fprintf(stderr, "usage: %s COUNT [SEED] | FILE...\n", argv[0]);
        return 2;
    }
    if (argv[1][0] < '0' || argv[1][0] > '9')
        return replay(argc - 1, argv + 1);
    count = strtoul(argv[1], NULL, 10);
    state = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
    state = state * 0x9e3779b97f4a7c15u + 1;
    for (i = 0; i < POOL; i++) {
        lengths[i] = sizeof SEED;
        memcpy(pool[i], SEED, sizeof SEED);
    }
    for (done = 0; done < count; done++) {
        static uint8_t made[LONGEST];
        size_t len, which = next() % POOL, changes = 1 + next() % 6;
        if (done % 4 == 0) { /* At random, behind a good beginning or none. */
            size_t keep = next() & 3 ? 19 : 0;
            len = 16 + next() % (LONGEST - 16);
            memcpy(made, SEED, sizeof SEED);
            for (i = keep; i < len; i++)
                made[i] = (uint8_t)next();
        } else { /* By mutation: bytes changed, moved, put in, and taken from another one. */
            len = lengths[which];
            memcpy(made, pool[which], len);
            while (changes--) {
                size_t at = next() % len, other = next() % POOL;
                switch (next() % 4) {
                case 0:
                    made[at] = (uint8_t)next();
                    break;
                case 1:
                    made[at] ^= (uint8_t)(1u << next() % 8);
                    break;
                case 2:
                    if (len < LONGEST) {
                        memmove(made + at + 1, made + at, len - at);
                        made[at] = (uint8_t)next();
                        len++;
                    }
                    break;
                default:
                    if (at < lengths[other]) {
                        memcpy(made + at, pool[other] + at, lengths[other] - at);
                        len = len > lengths[other] ? len : lengths[other];
                    }
                    break;
                }
            }
            if (next() % 8 == 0) {
                memcpy(pool[which], made, len);
                lengths[which] = len;
            }
        }
        LLVMFuzzerTestOneInput(made, len);
    }
    printf("%lu inputs, no report; of each type of action and event:", done);
    for (i = 1; i < MQTTP2P_EVENT_OTHER; i++)
        if (i <= MQTTP2P_ACTION_WAIT || i >= MQTTP2P_EVENT_CONNECTED)
            printf(" %lu", seen[i]);
    printf("; WebSocket open %lu, ended %lu\n", websocket_opens, websocket_ends);
    MUST(done < 100000 || (websocket_opens > 0 && websocket_ends > 0));
    for (i = 1; i < MQTTP2P_EVENT_OTHER && done >= 100000; i++)
        MUST(seen[i] > 0 || (i > MQTTP2P_ACTION_WAIT && i < MQTTP2P_EVENT_CONNECTED) || i == MQTTP2P_EVENT_REJECTED);
    return 0;
}

#endif
