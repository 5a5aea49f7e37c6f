/* The C interface, call by call: what it does, and what it answers to what is wrong. */
#include "check.h"

/* ---- making and ending ---- */

static void a_client_in_memory_of_the_callers_works_without_a_heap(void)
{
    static mqttp2p_client_memory_t memory;
    static uint32_t buffer[MQTTP2P_BUFFER_SIZE(8, 4, 256, 128, 512) / 4];
    mqttp2p_config_t config = MQTTP2P_CONFIG_INIT;
    bench_t bench;
    memset(&bench, 0, sizeof bench);
    config.seed = 7;
    OK(mqttp2p_client_init(&memory, sizeof memory, &config, buffer, sizeof buffer, &bench.client));
    go_online(&bench, 0);
    OK(mqttp2p_publish(bench.client, BYTES("t"), BYTES("x"), 1, 0, NULL));
    EXPECT(&bench, MQTTP2P_ACTION_WAIT);
    SENT(&bench, "\x32\x06\0\1t\0\1x");
    OK(mqttp2p_client_deinit(bench.client));
    CHECK_STATUS(mqttp2p_ping(bench.client), MQTTP2P_E_NO_OBJECT);
    CHECK_STATUS(mqttp2p_client_deinit(bench.client), MQTTP2P_E_NO_OBJECT);
}

static void sizes_in_the_header_hold_what_they_are_for(void)
{
    CHECK(mqttp2p_client_size() <= MQTTP2P_CLIENT_SIZE);
    CHECK(mqttp2p_client_align() <= 8);
    CHECK(sizeof(mqttp2p_client_memory_t) >= mqttp2p_client_size());
}

static void wrong_memory_for_a_client_gets_a_status(void)
{
    mqttp2p_client_memory_t memory;
    uint32_t buffer[512];
    mqttp2p_config_t config = MQTTP2P_CONFIG_INIT;
    mqttp2p_client_t *client = NULL;
    config.seed = 7;
    CHECK_STATUS(mqttp2p_client_init(NULL, sizeof memory, &config, buffer, sizeof buffer, &client), MQTTP2P_E_NULL);
    CHECK_STATUS(mqttp2p_client_init(&memory, sizeof memory, NULL, buffer, sizeof buffer, &client), MQTTP2P_E_NULL);
    CHECK_STATUS(mqttp2p_client_init(&memory, sizeof memory, &config, NULL, sizeof buffer, &client), MQTTP2P_E_NULL);
    CHECK_STATUS(mqttp2p_client_init(&memory, sizeof memory, &config, buffer, sizeof buffer, NULL), MQTTP2P_E_NULL);
    CHECK_STATUS(mqttp2p_client_init(memory.bytes + 1, sizeof memory - 1, &config, buffer, sizeof buffer, &client),
                 MQTTP2P_E_MISALIGNED);
    CHECK_STATUS(mqttp2p_client_init(&memory, mqttp2p_client_size() - 1, &config, buffer, sizeof buffer, &client),
                 MQTTP2P_E_MEMORY_TOO_SMALL);
    CHECK_STATUS(mqttp2p_client_init(&memory, sizeof memory, &config, (uint8_t *)buffer + 1, 2000, &client),
                 MQTTP2P_E_MISALIGNED);
    CHECK_STATUS(mqttp2p_client_init(&memory, sizeof memory, &config, buffer, MQTTP2P_BUFFER_SIZE(8, 4, 256, 128, 0) - 1,
                                     &client),
                 MQTTP2P_E_MEMORY_TOO_SMALL);
    CHECK(client == NULL);
    OK(mqttp2p_client_init(&memory, mqttp2p_client_size(), &config, buffer, MQTTP2P_BUFFER_SIZE(8, 4, 256, 128, 0),
                           &client));
    /* No byte is left for packets. */
    CHECK_STATUS(mqttp2p_publish(client, BYTES("t"), BYTES(""), 0, 0, NULL), MQTTP2P_E_TOO_LARGE);
    OK(mqttp2p_client_deinit(client));
}

static void what_is_no_client_gets_a_status(void)
{
    mqttp2p_client_memory_t memory;
    mqttp2p_client_t *client = (mqttp2p_client_t *)&memory;
    memset(&memory, 0, sizeof memory);
    CHECK_STATUS(mqttp2p_connect(NULL, 0), MQTTP2P_E_NULL);
    CHECK_STATUS(mqttp2p_connect(client, 0), MQTTP2P_E_NO_OBJECT);
    CHECK_STATUS(mqttp2p_connect((mqttp2p_client_t *)(memory.bytes + 1), 0), MQTTP2P_E_MISALIGNED);
    memset(&memory, 0xff, sizeof memory);
    CHECK_STATUS(mqttp2p_is_connected(client), MQTTP2P_E_NO_OBJECT);
    CHECK_STATUS(mqttp2p_client_free(client), MQTTP2P_E_NO_OBJECT);
    OK(mqttp2p_client_free(NULL));
}

static void each_kind_of_client_is_ended_by_its_own_call(void)
{
    mqttp2p_client_memory_t memory;
    uint32_t buffer[512];
    mqttp2p_config_t config = MQTTP2P_CONFIG_INIT;
    mqttp2p_client_t *on_heap, *in_memory;
    OK(mqttp2p_client_new(&config, 0, &on_heap));
    OK(mqttp2p_client_init(&memory, sizeof memory, &config, buffer, sizeof buffer, &in_memory));
    CHECK_STATUS(mqttp2p_client_deinit(on_heap), MQTTP2P_E_INVALID_ARGUMENT);
    CHECK_STATUS(mqttp2p_client_free(in_memory), MQTTP2P_E_INVALID_ARGUMENT);
    OK(mqttp2p_ping(on_heap));
    OK(mqttp2p_ping(in_memory));
    OK(mqttp2p_client_free(on_heap));
    OK(mqttp2p_client_deinit(in_memory));
}

static void the_log_in_is_wiped_when_a_client_ends(void)
{
    mqttp2p_client_memory_t memory;
    uint32_t buffer[512];
    mqttp2p_config_t config = MQTTP2P_CONFIG_INIT;
    mqttp2p_login_t login = MQTTP2P_LOGIN_INIT;
    bench_t bench;
    size_t i;
    int found = 0;
    memset(&bench, 0, sizeof bench);
    memset(buffer, 0, sizeof buffer);
    OK(mqttp2p_client_init(&memory, sizeof memory, &config, buffer, sizeof buffer, &bench.client));
    OK(mqttp2p_connect(bench.client, 0));
    EXPECT(&bench, MQTTP2P_ACTION_OPEN_TRANSPORT);
    login.client_id = login.user_name = mqttp2p_str("me");
    login.password = mqttp2p_str("Pa55word");
    OK(mqttp2p_transport_opened(bench.client, 0, &login));
    for (i = 0; i + 8 <= sizeof buffer; i++)
        found += memcmp((uint8_t *)buffer + i, "Pa55word", 8) == 0;
    CHECK(found == 1);
    OK(mqttp2p_client_deinit(bench.client));
    for (i = 0; i + 8 <= sizeof buffer; i++)
        CHECK(memcmp((uint8_t *)buffer + i, "Pa55word", 8) != 0);
}

/* ---- configuration ---- */

static void macros_and_calls_give_the_same_first_values(void)
{
    mqttp2p_config_t any = MQTTP2P_CONFIG_INIT, aliyun = MQTTP2P_CONFIG_ALIYUN_INIT, made;
    memset(&made, 0xff, sizeof made);
    OK(mqttp2p_config_default(&made));
    CHECK(memcmp(&made, &any, sizeof made) == 0);
    memset(&made, 0xff, sizeof made);
    OK(mqttp2p_config_aliyun(&made));
    CHECK(memcmp(&made, &aliyun, sizeof made) == 0);
    CHECK_STATUS(mqttp2p_config_default(NULL), MQTTP2P_E_NULL);
    CHECK_STATUS(mqttp2p_config_aliyun(NULL), MQTTP2P_E_NULL);
}

static void a_configuration_that_is_none_is_refused(void)
{
    static const struct {
        size_t offset;
        uint8_t value;
    } WRONG[] = {
        {offsetof(mqttp2p_config_t, protocol), 5},    {offsetof(mqttp2p_config_t, clean_session), 2},
        {offsetof(mqttp2p_config_t, resubscribe), 3}, {offsetof(mqttp2p_config_t, offline), 3},
        {offsetof(mqttp2p_config_t, manual_ack), 2},  {offsetof(mqttp2p_config_t, retain), 2},
        {offsetof(mqttp2p_config_t, will), 255},      {offsetof(mqttp2p_config_t, tell_qos_0), 2},
    };
    mqttp2p_client_t *client = NULL;
    size_t i;
    for (i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
        mqttp2p_config_t config = MQTTP2P_CONFIG_INIT;
        ((uint8_t *)&config)[WRONG[i].offset] = WRONG[i].value;
        CHECK_STATUS(mqttp2p_client_new(&config, 0, &client), MQTTP2P_E_INVALID_ARGUMENT);
    }
    CHECK_STATUS(mqttp2p_client_new(NULL, 0, &client), MQTTP2P_E_NULL);
    CHECK(client == NULL);
}

static void a_shorter_struct_of_an_older_header_gets_defaults_for_the_rest(void)
{
    mqttp2p_config_t config = MQTTP2P_CONFIG_INIT;
    mqttp2p_client_t *client;
    /* What lies behind the size is not read: here, a value that would be refused. */
    config.struct_size = (uint32_t)offsetof(mqttp2p_config_t, tell_qos_0);
    config.tell_qos_0 = 2;
    OK(mqttp2p_client_new(&config, 0, &client));
    OK(mqttp2p_client_free(client));
    config.struct_size = (uint32_t)sizeof config + 1;
    CHECK_STATUS(mqttp2p_client_new(&config, 0, &client), MQTTP2P_E_INVALID_ARGUMENT);
    config.struct_size = 0;
    CHECK_STATUS(mqttp2p_client_new(&config, 0, &client), MQTTP2P_E_INVALID_ARGUMENT);
}

/* ---- connecting ---- */

static void a_log_in_becomes_a_connect_packet(void)
{
    bench_t bench = made(NULL);
    mqttp2p_login_t login = MQTTP2P_LOGIN_INIT;
    OK(mqttp2p_connect(bench.client, bench.now));
    EXPECT(&bench, MQTTP2P_ACTION_OPEN_TRANSPORT);
    CHECK(bench.action.count == 1);
    login.client_id = BYTES("me");
    login.user_name = BYTES("u");
    login.password = BYTES("pw");
    login.will_topic = BYTES("w");
    login.will_payload = BYTES("gone");
    login.will_qos = 1;
    login.will_retain = 1;
    OK(mqttp2p_transport_opened(bench.client, bench.now, &login));
    EXPECT(&bench, MQTTP2P_ACTION_WAIT);
    CHECK(bench.action.at_ms == bench.now + 10000);
    /* MQTT 3.1.1, figures 3.2 to 3.6: name, level, flags, keep alive, then the payload's fields. */
    SENT(&bench, "\x10\x1e\0\4MQTT\4\xec\0\x3c\0\2me\0\1w\0\4gone\0\1u\0\2pw");
    OK(mqttp2p_client_free(bench.client));
}

static void what_is_wrong_with_a_log_in_is_told_at_once_and_the_attempt_goes_on(void)
{
    bench_t bench = made(NULL);
    mqttp2p_login_t login = MQTTP2P_LOGIN_INIT;
    OK(mqttp2p_connect(bench.client, bench.now));
    EXPECT(&bench, MQTTP2P_ACTION_OPEN_TRANSPORT);
    CHECK_STATUS(mqttp2p_transport_opened(bench.client, bench.now, NULL), MQTTP2P_E_NULL);
    login.client_id = BYTES("\xff");
    CHECK_STATUS(mqttp2p_transport_opened(bench.client, bench.now, &login), MQTTP2P_E_TEXT);
    login.client_id = BYTES("a\0b");
    CHECK_STATUS(mqttp2p_transport_opened(bench.client, bench.now, &login), MQTTP2P_E_TEXT);
    login.client_id = mqttp2p_bytes(NULL, 1);
    CHECK_STATUS(mqttp2p_transport_opened(bench.client, bench.now, &login), MQTTP2P_E_NULL);
    login.client_id = BYTES("me");
    login.will_topic = BYTES("w/#");
    CHECK_STATUS(mqttp2p_transport_opened(bench.client, bench.now, &login), MQTTP2P_E_TOPIC_NAME);
    login.will_topic = BYTES("w");
    login.will_qos = 3;
    CHECK_STATUS(mqttp2p_transport_opened(bench.client, bench.now, &login), MQTTP2P_E_INVALID_ARGUMENT);
    login.will_qos = 0;
    login.will_topic = mqttp2p_bytes(NULL, 0);
    OK(mqttp2p_transport_opened(bench.client, bench.now, &login));
    EXPECT(&bench, MQTTP2P_ACTION_WAIT);
    SENT(&bench, "\x10\x0e\0\4MQTT\4\0\0\x3c\0\2me");
    OK(mqttp2p_client_free(bench.client));
}

static void a_refusal_tells_its_reason_and_that_it_is_final(void)
{
    bench_t bench = made(NULL);
    mqttp2p_login_t login = MQTTP2P_LOGIN_INIT;
    login.client_id = BYTES("me");
    OK(mqttp2p_connect(bench.client, bench.now));
    EXPECT(&bench, MQTTP2P_ACTION_OPEN_TRANSPORT);
    OK(mqttp2p_transport_opened(bench.client, bench.now, &login));
    EXPECT(&bench, MQTTP2P_ACTION_WAIT);
    RECEIVE(&bench, "\x20\2\0\4");
    EXPECT(&bench, MQTTP2P_ACTION_CLOSE_TRANSPORT);
    EXPECT(&bench, MQTTP2P_EVENT_REFUSED);
    CHECK(bench.action.reason == MQTTP2P_REASON_REFUSED_PASSWORD && bench.action.at_ms == MQTTP2P_NEVER);
    EXPECT(&bench, MQTTP2P_ACTION_WAIT);
    CHECK(bench.action.at_ms == MQTTP2P_NEVER && mqttp2p_is_idle(bench.client) == 1);
    OK(mqttp2p_client_free(bench.client));
}

static void a_lost_transport_is_dialled_again(void)
{
    mqttp2p_config_t config = MQTTP2P_CONFIG_INIT;
    bench_t bench;
    config.backoff_base_ms = 2000;
    config.backoff_cap_ms = 0;
    bench = online(&config);
    CHECK(mqttp2p_is_connected(bench.client) == 1);
    CHECK_STATUS(mqttp2p_transport_closed(bench.client, bench.now, MQTTP2P_REASON_REQUESTED), MQTTP2P_E_INVALID_ARGUMENT);
    CHECK_STATUS(mqttp2p_transport_closed(bench.client, bench.now, 0), MQTTP2P_E_INVALID_ARGUMENT);
    OK(mqttp2p_transport_closed(bench.client, bench.now, MQTTP2P_REASON_BROKEN));
    EXPECT(&bench, MQTTP2P_EVENT_DISCONNECTED);
    CHECK(bench.action.reason == MQTTP2P_REASON_BROKEN && bench.action.at_ms == bench.now + 2000);
    EXPECT(&bench, MQTTP2P_ACTION_WAIT);
    CHECK(mqttp2p_is_connected(bench.client) == 0);
    bench.now += 2000;
    EXPECT(&bench, MQTTP2P_ACTION_OPEN_TRANSPORT);
    CHECK(bench.action.count == 2);
    OK(mqttp2p_client_free(bench.client));
}

static void leaving_says_good_bye_and_ends(void)
{
    bench_t bench = online(NULL);
    OK(mqttp2p_disconnect(bench.client, bench.now));
    EXPECT(&bench, MQTTP2P_ACTION_CLOSE_TRANSPORT);
    SENT(&bench, "\xe0\0");
    EXPECT(&bench, MQTTP2P_EVENT_DISCONNECTED);
    CHECK(bench.action.reason == MQTTP2P_REASON_REQUESTED && bench.action.at_ms == MQTTP2P_NEVER);
    EXPECT(&bench, MQTTP2P_ACTION_WAIT);
    /* After it, a message waits for the next connection, and can be given up. */
    OK(mqttp2p_publish(bench.client, BYTES("t"), BYTES("x"), 1, 0, NULL));
    EXPECT(&bench, MQTTP2P_ACTION_WAIT);
    OK(mqttp2p_abandon(bench.client));
    EXPECT(&bench, MQTTP2P_EVENT_DROPPED);
    OK(mqttp2p_client_free(bench.client));
}

static void a_pause_stops_attempts_and_its_end_brings_them_forward(void)
{
    bench_t bench = made(NULL);
    OK(mqttp2p_connect(bench.client, bench.now));
    OK(mqttp2p_pause(bench.client, bench.now));
    EXPECT(&bench, MQTTP2P_ACTION_WAIT);
    CHECK(bench.action.at_ms == MQTTP2P_NEVER);
    OK(mqttp2p_resume(bench.client, bench.now));
    EXPECT(&bench, MQTTP2P_ACTION_OPEN_TRANSPORT);
    OK(mqttp2p_client_free(bench.client));
}

static void the_edition_can_be_changed_until_connect_goes_out(void)
{
    bench_t bench = made(NULL);
    CHECK_STATUS(mqttp2p_set_protocol(bench.client, 5), MQTTP2P_E_INVALID_ARGUMENT);
    OK(mqttp2p_set_protocol(bench.client, MQTTP2P_PROTOCOL_V31));
    go_online(&bench, 0);
    CHECK_STATUS(mqttp2p_set_protocol(bench.client, MQTTP2P_PROTOCOL_V311), MQTTP2P_E_IN_USE);
    OK(mqttp2p_client_free(bench.client));
}

static void pings_go_out_in_time_or_on_demand(void)
{
    bench_t bench = online(NULL);
    uint64_t due = 0;
    EXPECT(&bench, MQTTP2P_ACTION_WAIT);
    OK(mqttp2p_due_at(bench.client, &due));
    CHECK(due == bench.action.at_ms && due == bench.now + 60000 / 8 * 7);
    bench.now = due;
    EXPECT(&bench, MQTTP2P_ACTION_WAIT);
    SENT(&bench, "\xc0\0");
    CHECK(mqttp2p_awaits_ping(bench.client) == 1);
    RECEIVE(&bench, "\xd0\0");
    EXPECT(&bench, MQTTP2P_ACTION_WAIT);
    CHECK(mqttp2p_awaits_ping(bench.client) == 0);
    OK(mqttp2p_ping(bench.client));
    EXPECT(&bench, MQTTP2P_ACTION_WAIT);
    SENT(&bench, "\xc0\0");
    OK(mqttp2p_hold_reading(bench.client, bench.now, 1));
    CHECK_STATUS(mqttp2p_hold_reading(bench.client, bench.now, 2), MQTTP2P_E_INVALID_ARGUMENT);
    CHECK_STATUS(mqttp2p_due_at(bench.client, NULL), MQTTP2P_E_NULL);
    OK(mqttp2p_client_free(bench.client));
}

/* ---- publishing and subscribing ---- */

static void publications_of_every_qos_end_in_their_event(void)
{
    bench_t bench = online(NULL);
    uint32_t ticket = 0;
    OK(mqttp2p_publish(bench.client, BYTES("t"), BYTES("x"), 0, 1, &ticket));
    EXPECT(&bench, MQTTP2P_EVENT_PUBLISHED);
    SENT(&bench, "\x31\4\0\1tx");
    CHECK(bench.action.ticket == ticket && ticket != 0);

    OK(mqttp2p_publish(bench.client, BYTES("t"), mqttp2p_bytes(NULL, 0), 1, 0, &ticket));
    EXPECT(&bench, MQTTP2P_ACTION_WAIT);
    SENT(&bench, "\x32\5\0\1t\0\2");
    RECEIVE(&bench, "\x40\2\0\2");
    EXPECT(&bench, MQTTP2P_EVENT_PUBLISHED);
    CHECK(bench.action.ticket == ticket);

    OK(mqttp2p_publish(bench.client, BYTES("t"), BYTES("x"), 2, 0, &ticket));
    EXPECT(&bench, MQTTP2P_ACTION_WAIT);
    SENT(&bench, "\x34\6\0\1t\0\3x");
    RECEIVE(&bench, "\x50\2\0\3");
    EXPECT(&bench, MQTTP2P_ACTION_WAIT);
    SENT(&bench, "\x62\2\0\3");
    RECEIVE(&bench, "\x70\2\0\3");
    EXPECT(&bench, MQTTP2P_EVENT_PUBLISHED);
    CHECK(bench.action.ticket == ticket);
    EXPECT(&bench, MQTTP2P_ACTION_WAIT);
    OK(mqttp2p_client_free(bench.client));
}

static void publications_of_qos_0_end_silently_on_demand_and_then_one_poll_does(void)
{
    mqttp2p_config_t config = MQTTP2P_CONFIG_INIT;
    bench_t bench;
    uint64_t due;
    size_t open = 1;
    config.tell_qos_0 = 0;
    bench = online(&config);
    EXPECT(&bench, MQTTP2P_ACTION_WAIT);
    OK(mqttp2p_publish(bench.client, BYTES("t"), BYTES("xyz"), 0, 0, NULL));
    OK(mqttp2p_poll(bench.client, bench.now, NULL, NULL, &bench.action));
    CHECK(bench.action.type == MQTTP2P_ACTION_TRANSMIT && bench.action.data.len == 8);
    /* What is not written yet is offered again; after the last byte there is nothing to do. */
    OK(mqttp2p_transmitted(bench.client, 5));
    OK(mqttp2p_poll(bench.client, bench.now, NULL, NULL, &bench.action));
    CHECK(bench.action.type == MQTTP2P_ACTION_TRANSMIT && bench.action.data.len == 3);
    CHECK_STATUS(mqttp2p_transmitted(bench.client, 3), MQTTP2P_WAIT);
    OK(mqttp2p_due_at(bench.client, &due));
    EXPECT(&bench, MQTTP2P_ACTION_WAIT);
    CHECK(due == bench.action.at_ms);
    OK(mqttp2p_requests(bench.client, NULL, 0, &open));
    CHECK(open == 0);
    OK(mqttp2p_client_free(bench.client));
}

static void what_can_not_be_published_gets_a_status_and_nothing_goes_out(void)
{
    mqttp2p_config_t config = MQTTP2P_CONFIG_ALIYUN_INIT;
    static uint8_t large[65537];
    bench_t bench = online(&config);
    mqttp2p_client_t *client = bench.client;
    CHECK_STATUS(mqttp2p_publish(client, BYTES(""), BYTES("x"), 0, 0, NULL), MQTTP2P_E_TOPIC_NAME);
    CHECK_STATUS(mqttp2p_publish(client, BYTES("a/+"), BYTES("x"), 0, 0, NULL), MQTTP2P_E_TOPIC_NAME);
    CHECK_STATUS(mqttp2p_publish(client, BYTES("\xc0\x80"), BYTES("x"), 0, 0, NULL), MQTTP2P_E_TEXT);
    CHECK_STATUS(mqttp2p_publish(client, BYTES("t"), BYTES("x"), 3, 0, NULL), MQTTP2P_E_INVALID_ARGUMENT);
    CHECK_STATUS(mqttp2p_publish(client, BYTES("t"), BYTES("x"), 0, 2, NULL), MQTTP2P_E_INVALID_ARGUMENT);
    CHECK_STATUS(mqttp2p_publish(client, BYTES("t"), BYTES("x"), 0, 1, NULL), MQTTP2P_E_RETAIN);
    CHECK_STATUS(mqttp2p_publish(client, BYTES("t"), mqttp2p_bytes(NULL, 1), 0, 0, NULL), MQTTP2P_E_NULL);
    CHECK_STATUS(mqttp2p_publish(client, BYTES("t"), mqttp2p_bytes("x", SIZE_MAX), 0, 0, NULL), MQTTP2P_E_TOO_LARGE);
    CHECK_STATUS(mqttp2p_publish(client, BYTES("t"), mqttp2p_bytes(large, sizeof large), 0, 0, NULL),
                 MQTTP2P_E_TOO_LARGE);
    EXPECT(&bench, MQTTP2P_ACTION_WAIT);
    SENT(&bench, "");
    OK(mqttp2p_client_free(client));
}

static void a_full_client_says_so_and_takes_more_later(void)
{
    mqttp2p_client_memory_t memory;
    uint32_t buffer[MQTTP2P_BUFFER_SIZE(2, 1, 64, 16, 64) / 4];
    mqttp2p_config_t config = MQTTP2P_CONFIG_INIT;
    bench_t bench;
    memset(&bench, 0, sizeof bench);
    config.requests = 2;
    config.inbound = 1;
    config.control_bytes = 64;
    config.subscription_bytes = 16;
    OK(mqttp2p_client_init(&memory, sizeof memory, &config, buffer, sizeof buffer, &bench.client));
    go_online(&bench, 0);
    OK(mqttp2p_publish(bench.client, BYTES("t"), BYTES("1"), 1, 0, NULL));
    OK(mqttp2p_publish(bench.client, BYTES("t"), BYTES("2"), 1, 0, NULL));
    CHECK_STATUS(mqttp2p_publish(bench.client, BYTES("t"), BYTES("3"), 1, 0, NULL), MQTTP2P_E_FULL);
    EXPECT(&bench, MQTTP2P_ACTION_WAIT);
    RECEIVE(&bench, "\x40\2\0\1");
    EXPECT(&bench, MQTTP2P_EVENT_PUBLISHED);
    OK(mqttp2p_publish(bench.client, BYTES("t"), BYTES("3"), 1, 0, NULL));
    OK(mqttp2p_client_deinit(bench.client));
}

static void a_write_that_takes_one_byte_at_a_time_sends_each_byte_once(void)
{
    bench_t bench = online(NULL);
    uint8_t got[16];
    size_t len = 0;
    OK(mqttp2p_publish(bench.client, BYTES("t"), BYTES("x"), 1, 0, NULL));
    while (mqttp2p_poll(bench.client, bench.now, NULL, NULL, &bench.action) == MQTTP2P_OK) {
        CHECK(bench.action.type == MQTTP2P_ACTION_TRANSMIT && len < sizeof got);
        got[len++] = bench.action.data.ptr[0];
        CHECK(mqttp2p_transmitted(bench.client, 1) >= 0);
    }
    CHECK(is(mqttp2p_bytes(got, len), "\x32\6\0\1t\0\1x", 8));
    OK(mqttp2p_client_free(bench.client));
}

static void subscriptions_are_answered_filter_by_filter(void)
{
    bench_t bench = online(NULL);
    mqttp2p_filter_t filters[MQTTP2P_MAX_FILTERS + 1], one;
    mqttp2p_bytes_t end = BYTES("a/#");
    uint32_t ticket;
    size_t i;
    filters[0].filter = BYTES("a/#");
    filters[0].qos = 1;
    filters[1].filter = BYTES("b/+");
    filters[1].qos = 0;
    OK(mqttp2p_subscribe(bench.client, filters, 2, &ticket));
    EXPECT(&bench, MQTTP2P_ACTION_WAIT);
    SENT(&bench, "\x82\x0e\0\1\0\3a/#\1\0\3b/+\0");
    RECEIVE(&bench, "\x90\4\0\1\1\x80");
    EXPECT(&bench, MQTTP2P_EVENT_SUBSCRIBED);
    CHECK(bench.action.ticket == ticket && IS(bench.action.data, "\1\x80"));

    OK(mqttp2p_subscription(bench.client, 0, &one));
    CHECK(IS(one.filter, "a/#") && one.qos == 1);
    CHECK_STATUS(mqttp2p_subscription(bench.client, 1, &one), MQTTP2P_NONE);
    CHECK_STATUS(mqttp2p_subscription(bench.client, 0, NULL), MQTTP2P_E_NULL);

    OK(mqttp2p_unsubscribe(bench.client, &end, 1, &ticket));
    EXPECT(&bench, MQTTP2P_ACTION_WAIT);
    SENT(&bench, "\xa2\7\0\2\0\3a/#");
    RECEIVE(&bench, "\xb0\2\0\2");
    EXPECT(&bench, MQTTP2P_EVENT_UNSUBSCRIBED);
    CHECK(bench.action.ticket == ticket);
    CHECK_STATUS(mqttp2p_subscription(bench.client, 0, &one), MQTTP2P_NONE);

    CHECK_STATUS(mqttp2p_subscribe(bench.client, NULL, 0, NULL), MQTTP2P_E_NO_FILTER);
    CHECK_STATUS(mqttp2p_subscribe(bench.client, NULL, 1, NULL), MQTTP2P_E_NULL);
    CHECK_STATUS(mqttp2p_unsubscribe(bench.client, NULL, 0, NULL), MQTTP2P_E_NO_FILTER);
    for (i = 0; i < MQTTP2P_MAX_FILTERS + 1; i++)
        filters[i] = filters[0];
    CHECK_STATUS(mqttp2p_subscribe(bench.client, filters, MQTTP2P_MAX_FILTERS + 1, NULL), MQTTP2P_E_TOO_MANY_FILTERS);
    CHECK_STATUS(mqttp2p_subscribe(bench.client, (mqttp2p_filter_t *)((uint8_t *)filters + 1), 1, NULL),
                 MQTTP2P_E_MISALIGNED);
    filters[0].qos = 3;
    CHECK_STATUS(mqttp2p_subscribe(bench.client, filters, 1, NULL), MQTTP2P_E_INVALID_ARGUMENT);
    filters[0].qos = 0;
    filters[0].filter = BYTES("a#");
    CHECK_STATUS(mqttp2p_subscribe(bench.client, filters, 1, NULL), MQTTP2P_E_TOPIC_FILTER);
    OK(mqttp2p_client_free(bench.client));
}

static void subscriptions_are_asked_for_again_after_a_reconnect(void)
{
    bench_t bench = online(NULL);
    mqttp2p_filter_t filter;
    filter.filter = BYTES("a");
    filter.qos = 2;
    OK(mqttp2p_subscribe(bench.client, &filter, 1, NULL));
    EXPECT(&bench, MQTTP2P_ACTION_WAIT);
    RECEIVE(&bench, "\x90\3\0\1\2");
    EXPECT(&bench, MQTTP2P_EVENT_SUBSCRIBED);
    OK(mqttp2p_transport_closed(bench.client, bench.now, MQTTP2P_REASON_CLOSED_BY_PEER));
    EXPECT(&bench, MQTTP2P_EVENT_DISCONNECTED);
    go_online(&bench, 0);
    EXPECT(&bench, MQTTP2P_ACTION_WAIT);
    SENT(&bench, "\x82\6\xff\xff\0\1a\2");
    RECEIVE(&bench, "\x90\3\xff\xff\2");
    EXPECT(&bench, MQTTP2P_EVENT_RESUBSCRIBED);
    CHECK(bench.action.count == 0 && IS(bench.action.data, "\2"));
    OK(mqttp2p_client_free(bench.client));
}

static void the_publication_that_goes_alone_holds_back_the_others(void)
{
    bench_t bench = made(NULL);
    CHECK_STATUS(mqttp2p_publish_alone(bench.client, BYTES("t"), BYTES("x")), MQTTP2P_E_OFFLINE);
    go_online(&bench, 0);
    OK(mqttp2p_publish_alone(bench.client, BYTES("$SYS/uploadToken"), BYTES("x")));
    CHECK_STATUS(mqttp2p_publish_alone(bench.client, BYTES("t"), BYTES("x")), MQTTP2P_E_FULL);
    OK(mqttp2p_publish(bench.client, BYTES("t"), BYTES("y"), 0, 0, NULL));
    EXPECT(&bench, MQTTP2P_ACTION_WAIT);
    SENT(&bench, "\x32\x15\0\x10$SYS/uploadToken\xff\xfex");
    RECEIVE(&bench, "\x40\2\xff\xfe");
    EXPECT(&bench, MQTTP2P_EVENT_PUBLISHED_ALONE);
    EXPECT(&bench, MQTTP2P_EVENT_PUBLISHED);
    SENT(&bench, "\x30\4\0\1ty");
    OK(mqttp2p_client_free(bench.client));
}

static void nothing_is_queued_where_the_configuration_says_so(void)
{
    mqttp2p_config_t config = MQTTP2P_CONFIG_INIT;
    bench_t bench;
    config.offline = MQTTP2P_OFFLINE_REFUSE;
    bench = made(&config);
    CHECK_STATUS(mqttp2p_publish(bench.client, BYTES("t"), BYTES("x"), 1, 0, NULL), MQTTP2P_E_OFFLINE);
    OK(mqttp2p_client_free(bench.client));
}

/* ---- receiving ---- */

static void messages_lie_in_the_callers_buffer_and_are_acknowledged_by_the_next_poll(void)
{
    static const char PACKETS[] = "\x3b\7\0\1t\0\7hi\x30\4\0\1uz";
    bench_t bench = online(NULL);
    RECEIVE(&bench, PACKETS);
    EXPECT(&bench, MQTTP2P_EVENT_MESSAGE);
    CHECK(IS(bench.action.topic, "t") && IS(bench.action.data, "hi"));
    CHECK(bench.action.qos == 1 && bench.action.retain == 1 && bench.action.dup == 1 && bench.action.ack != 0);
    CHECK(bench.action.data.ptr == (const uint8_t *)PACKETS + 7 && bench.rx_len == 6);
    SENT(&bench, "");
    EXPECT(&bench, MQTTP2P_EVENT_MESSAGE);
    CHECK(IS(bench.action.topic, "u") && bench.action.qos == 0 && bench.action.ack == 0);
    EXPECT(&bench, MQTTP2P_ACTION_WAIT);
    SENT(&bench, "\x40\2\0\7");
    OK(mqttp2p_client_free(bench.client));
}

static void a_message_that_comes_byte_by_byte_comes_once(void)
{
    static const uint8_t PACKET[] = {0x34, 6, 0, 1, 't', 0, 9, 'x'};
    bench_t bench = online(NULL);
    size_t len;
    for (len = 1; len < sizeof PACKET; len++) {
        bench.rx = PACKET;
        bench.rx_len = len;
        EXPECT(&bench, MQTTP2P_ACTION_WAIT);
        CHECK(bench.rx == PACKET && bench.rx_len == len);
    }
    bench.rx_len = sizeof PACKET;
    EXPECT(&bench, MQTTP2P_EVENT_MESSAGE);
    EXPECT(&bench, MQTTP2P_ACTION_WAIT);
    SENT(&bench, "\x50\2\0\x09");
    /* Again, with DUP: it was delivered. */
    RECEIVE(&bench, "\x3c\6\0\1t\0\x09x");
    EXPECT(&bench, MQTTP2P_ACTION_WAIT);
    SENT(&bench, "\x50\2\0\x09");
    RECEIVE(&bench, "\x62\2\0\x09");
    EXPECT(&bench, MQTTP2P_ACTION_WAIT);
    SENT(&bench, "\x70\2\0\x09");
    OK(mqttp2p_client_free(bench.client));
}

static void manual_acknowledgement_waits_for_the_call(void)
{
    mqttp2p_config_t config = MQTTP2P_CONFIG_INIT;
    bench_t bench;
    uint64_t ack;
    config.manual_ack = 1;
    bench = online(&config);
    RECEIVE(&bench, "\x32\5\0\1t\0\7");
    EXPECT(&bench, MQTTP2P_EVENT_MESSAGE);
    ack = bench.action.ack;
    EXPECT(&bench, MQTTP2P_ACTION_WAIT);
    SENT(&bench, "");
    CHECK_STATUS(mqttp2p_acknowledge(bench.client, 0), MQTTP2P_E_STALE);
    CHECK_STATUS(mqttp2p_acknowledge(bench.client, UINT64_MAX), MQTTP2P_E_STALE);
    OK(mqttp2p_acknowledge(bench.client, ack));
    EXPECT(&bench, MQTTP2P_ACTION_WAIT);
    SENT(&bench, "\x40\2\0\7");
    OK(mqttp2p_transport_closed(bench.client, bench.now, MQTTP2P_REASON_BROKEN));
    EXPECT(&bench, MQTTP2P_EVENT_DISCONNECTED);
    CHECK_STATUS(mqttp2p_acknowledge(bench.client, ack), MQTTP2P_E_STALE);
    OK(mqttp2p_client_free(bench.client));
}

static void long_messages_come_in_parts_on_demand(void)
{
    bench_t bench = made(NULL);
    OK(mqttp2p_tell_in_parts(bench.client, 16));
    go_online(&bench, 0);
    CHECK_STATUS(mqttp2p_tell_in_parts(bench.client, 16), MQTTP2P_E_IN_USE);
    RECEIVE(&bench, "\x32\x19\0\1t\0\7" "12345678");
    EXPECT(&bench, MQTTP2P_EVENT_MESSAGE_BEGIN);
    CHECK(bench.action.count == 20 && IS(bench.action.topic, "t"));
    EXPECT(&bench, MQTTP2P_EVENT_MESSAGE_PART);
    CHECK(IS(bench.action.data, "12345678"));
    EXPECT(&bench, MQTTP2P_ACTION_WAIT);
    RECEIVE(&bench, "abcdefghijkl");
    EXPECT(&bench, MQTTP2P_EVENT_MESSAGE_PART);
    CHECK(IS(bench.action.data, "abcdefghijkl"));
    EXPECT(&bench, MQTTP2P_EVENT_MESSAGE_END);
    CHECK(bench.action.ack != 0);
    EXPECT(&bench, MQTTP2P_ACTION_WAIT);
    SENT(&bench, "\x40\2\0\7");
    OK(mqttp2p_client_free(bench.client));
}

static void a_server_that_breaks_the_rules_is_left_with_its_reason(void)
{
    static const struct {
        const char *bytes;
        size_t len;
        int32_t reason;
        uint32_t detail;
    } WRONG[] = {
        {"\x30\x03\0\1+", 5, MQTTP2P_REASON_MALFORMED, 0},
        {"\x00\x00", 2, MQTTP2P_REASON_MALFORMED, 0},
        {"\x20\2\0\0", 4, MQTTP2P_REASON_UNEXPECTED, 2},
        {"\x30\xff\xff\xff\x7f", 5, MQTTP2P_REASON_PACKET_TOO_LARGE, 268435460},
    };
    size_t i;
    for (i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
        bench_t bench = online(NULL);
        receive(&bench, WRONG[i].bytes, WRONG[i].len);
        EXPECT(&bench, MQTTP2P_ACTION_CLOSE_TRANSPORT);
        EXPECT(&bench, MQTTP2P_EVENT_DISCONNECTED);
        CHECK(bench.action.reason == WRONG[i].reason && bench.action.detail == WRONG[i].detail);
        OK(mqttp2p_client_free(bench.client));
    }
}

static void poll_checks_its_arguments(void)
{
    bench_t bench = online(NULL);
    const uint8_t *rx = NULL;
    size_t len = 1;
    uint64_t room[sizeof(mqttp2p_action_t) / 8 + 2];
    CHECK_STATUS(mqttp2p_poll(NULL, 0, NULL, NULL, &bench.action), MQTTP2P_E_NULL);
    CHECK_STATUS(mqttp2p_poll(bench.client, 0, NULL, NULL, NULL), MQTTP2P_E_NULL);
    CHECK_STATUS(mqttp2p_poll(bench.client, 0, &rx, NULL, &bench.action), MQTTP2P_E_NULL);
    CHECK_STATUS(mqttp2p_poll(bench.client, 0, NULL, &len, &bench.action), MQTTP2P_E_NULL);
    CHECK_STATUS(mqttp2p_poll(bench.client, 0, &rx, &len, &bench.action), MQTTP2P_E_NULL);
    CHECK_STATUS(mqttp2p_poll(bench.client, 0, NULL, NULL, (mqttp2p_action_t *)((uint8_t *)room + 1)),
                 MQTTP2P_E_MISALIGNED);
    CHECK_STATUS(mqttp2p_poll(bench.client, bench.now, NULL, NULL, &bench.action), MQTTP2P_WAIT);
    OK(mqttp2p_client_free(bench.client));
}

/* ---- the session ---- */

static void a_session_goes_on_in_another_client(void)
{
    bench_t first = online(NULL), second = made(NULL);
    uint8_t bytes[512];
    uint32_t tickets[2] = {0, 0}, ticket;
    size_t len = 0, count = 0;
    mqttp2p_stats_t stats;
    OK(mqttp2p_publish(first.client, BYTES("t"), BYTES("x"), 1, 0, &ticket));
    EXPECT(&first, MQTTP2P_ACTION_WAIT);
    CHECK_STATUS(mqttp2p_session_export(first.client, NULL, 0, &len), MQTTP2P_E_BUFFER_TOO_SMALL);
    CHECK(len > 0 && len <= sizeof bytes);
    OK(mqttp2p_session_export(first.client, bytes, sizeof bytes, &len));
    OK(mqttp2p_client_free(first.client));

    bytes[len - 1] ^= 1;
    CHECK_STATUS(mqttp2p_session_import(second.client, mqttp2p_bytes(bytes, len)), MQTTP2P_E_SESSION_DAMAGED);
    bytes[len - 1] ^= 1;
    CHECK_STATUS(mqttp2p_session_import(second.client, BYTES("something else")), MQTTP2P_E_SESSION_FORMAT);
    OK(mqttp2p_session_import(second.client, mqttp2p_bytes(bytes, len)));
    CHECK_STATUS(mqttp2p_session_import(second.client, mqttp2p_bytes(bytes, len)), MQTTP2P_E_IN_USE);
    CHECK_STATUS(mqttp2p_requests(second.client, NULL, 0, &count), MQTTP2P_E_BUFFER_TOO_SMALL);
    OK(mqttp2p_requests(second.client, tickets, 2, &count));
    CHECK(count == 1 && tickets[0] == ticket && tickets[1] == 0);
    CHECK_STATUS(mqttp2p_requests(second.client, NULL, 1, &count), MQTTP2P_E_NULL);

    go_online(&second, 1);
    EXPECT(&second, MQTTP2P_ACTION_WAIT);
    SENT(&second, "\x3a\6\0\1t\0\1x");
    OK(mqttp2p_stats(second.client, &stats));
    CHECK(stats.connections == 1 && stats.in_flight == 1);
    CHECK_STATUS(mqttp2p_stats(second.client, NULL), MQTTP2P_E_NULL);
    RECEIVE(&second, "\x40\2\0\1");
    EXPECT(&second, MQTTP2P_EVENT_PUBLISHED);
    OK(mqttp2p_client_free(second.client));
}

static void a_session_kept_change_by_change_is_restored(void)
{
    bench_t first = made(NULL), second = made(NULL);
    mqttp2p_record_t records[2];
    uint8_t value[64];
    uint32_t ticket;
    OK(mqttp2p_keep_session(first.client));
    go_online(&first, 0);
    CHECK_STATUS(mqttp2p_keep_session(first.client), MQTTP2P_E_IN_USE);
    OK(mqttp2p_publish(first.client, BYTES("t"), BYTES("x"), 2, 0, &ticket));
    EXPECT(&first, MQTTP2P_ACTION_STORE_PUT);
    SENT(&first, "");
    CHECK(first.action.data.len <= sizeof value);
    memcpy(records[0].key, first.action.key, MQTTP2P_KEY_LEN);
    memcpy(value, first.action.data.ptr, first.action.data.len);
    records[0].value = mqttp2p_bytes(value, first.action.data.len);
    EXPECT(&first, MQTTP2P_ACTION_WAIT);
    SENT(&first, "\x34\6\0\1t\0\1x");

    records[1] = records[0];
    CHECK_STATUS(mqttp2p_session_restore(second.client, records, 2), MQTTP2P_E_INVALID_ARGUMENT);
    CHECK_STATUS(mqttp2p_session_restore(second.client, NULL, 1), MQTTP2P_E_NULL);
    records[1].key[0] = 99;
    CHECK_STATUS(mqttp2p_session_restore(second.client, records, 2), MQTTP2P_E_SESSION_DAMAGED);
    OK(mqttp2p_session_restore(second.client, records, 1));
    go_online(&second, 1);
    EXPECT(&second, MQTTP2P_ACTION_WAIT);
    SENT(&second, "\x3c\6\0\1t\0\1x");

    RECEIVE(&first, "\x50\2\0\1");
    EXPECT(&first, MQTTP2P_ACTION_STORE_PUT);
    CHECK(memcmp(first.action.key, records[0].key, MQTTP2P_KEY_LEN) == 0);
    EXPECT(&first, MQTTP2P_ACTION_WAIT);
    SENT(&first, "\x62\2\0\1");
    RECEIVE(&first, "\x70\2\0\1");
    EXPECT(&first, MQTTP2P_EVENT_PUBLISHED);
    EXPECT(&first, MQTTP2P_ACTION_STORE_REMOVE);
    CHECK(memcmp(first.action.key, records[0].key, MQTTP2P_KEY_LEN) == 0);
    OK(mqttp2p_client_free(first.client));
    OK(mqttp2p_client_free(second.client));
}

static void requests_are_paced_on_demand(void)
{
    bench_t bench = made(NULL);
    int i;
    OK(mqttp2p_pace(bench.client, 1));
    go_online(&bench, 0);
    CHECK_STATUS(mqttp2p_pace(bench.client, 1), MQTTP2P_E_IN_USE);
    for (i = 0; i < 10; i++)
        OK(mqttp2p_publish(bench.client, BYTES("t"), BYTES("x"), 0, 0, NULL));
    while (step(&bench) == MQTTP2P_OK)
        ;
    CHECK(bench.sent_len < 10 * 6 && bench.action.at_ms == bench.now + 1000);
    OK(mqttp2p_client_free(bench.client));
}

/* ---- topics and texts ---- */

static void topics_and_packets_are_judged_without_a_client(void)
{
    size_t len = 0;
    OK(mqttp2p_check_topic_name(BYTES("a/b")));
    CHECK_STATUS(mqttp2p_check_topic_name(BYTES("a/#")), MQTTP2P_E_TOPIC_NAME);
    OK(mqttp2p_check_topic_filter(BYTES("a/#")));
    CHECK_STATUS(mqttp2p_check_topic_filter(BYTES("a/#/b")), MQTTP2P_E_TOPIC_FILTER);
    CHECK(mqttp2p_topic_matches(BYTES("a/+"), BYTES("a/b")) == 1);
    CHECK(mqttp2p_topic_matches(BYTES("#"), BYTES("$SYS/x")) == 0);
    CHECK_STATUS(mqttp2p_topic_matches(BYTES("#a"), BYTES("a")), MQTTP2P_E_TOPIC_FILTER);
    OK(mqttp2p_packet_len(BYTES("\x30\4\0\1txEND"), &len));
    CHECK(len == 6);
    CHECK_STATUS(mqttp2p_packet_len(BYTES("\x30\4\0\1t"), &len), MQTTP2P_INCOMPLETE);
}

static void every_reason_is_described_with_what_to_do(void)
{
    static const int32_t REASONS[] = {1,   2,   3,   4,   5,   6,   7,   8,   9,   10,  11,  12,  101, 102, 103, 104, 105, 106,
                                      107, 108, 109, 110, 111, 112, 113, 114, 115, 116, 117, 201, 202, 203, 204, 205};
    uint8_t text[512];
    size_t i, len, needed;
    for (i = 0; i < sizeof REASONS / sizeof REASONS[0]; i++) {
        OK(mqttp2p_reason_describe(REASONS[i], text, sizeof text, &len));
        CHECK(len > 20 && memchr(text, ':', len) != NULL);
        CHECK_STATUS(mqttp2p_reason_describe(REASONS[i], text, len - 1, &needed), MQTTP2P_E_BUFFER_TOO_SMALL);
        CHECK(needed == len);
    }
    CHECK_STATUS(mqttp2p_reason_describe(0, text, sizeof text, &len), MQTTP2P_E_INVALID_ARGUMENT);
    CHECK_STATUS(mqttp2p_reason_describe(200, text, sizeof text, &len), MQTTP2P_E_INVALID_ARGUMENT);
    CHECK_STATUS(mqttp2p_reason_describe(INT32_MIN, text, sizeof text, &len), MQTTP2P_E_INVALID_ARGUMENT);
    CHECK_STATUS(mqttp2p_reason_describe(1, NULL, 5, &len), MQTTP2P_E_NULL);
    CHECK_STATUS(mqttp2p_reason_describe(1, NULL, 0, &len), MQTTP2P_E_BUFFER_TOO_SMALL);
}

/* ---- ApsaraMQ ---- */

static void client_ids_follow_the_services_rules(void)
{
    uint8_t id[MQTTP2P_ALIYUN_CLIENT_ID_MAX];
    mqttp2p_bytes_t group, device;
    size_t len = 0;
    OK(mqttp2p_aliyun_client_id(BYTES("GID_Test"), BYTES("0001"), id, sizeof id, &len));
    CHECK(is(mqttp2p_bytes(id, len), "GID_Test@@@0001", 15));
    CHECK_STATUS(mqttp2p_aliyun_client_id(BYTES("GID_Test"), BYTES("0001"), id, 14, &len), MQTTP2P_E_BUFFER_TOO_SMALL);
    CHECK(len == 15);
    CHECK_STATUS(mqttp2p_aliyun_client_id(BYTES("Test"), BYTES("0001"), id, sizeof id, &len), MQTTP2P_E_CLIENT_ID);
    OK(mqttp2p_aliyun_parse_client_id(BYTES("GID_Test@@@0001"), &group, &device));
    CHECK(IS(group, "GID_Test") && IS(device, "0001"));
    CHECK_STATUS(mqttp2p_aliyun_parse_client_id(BYTES("GID_Test"), NULL, NULL), MQTTP2P_E_CLIENT_ID);
}

static void p2p_topics_are_built_and_taken_apart(void)
{
    uint8_t topic[MQTTP2P_ALIYUN_P2P_TOPIC_MAX];
    mqttp2p_p2p_t p2p;
    size_t len = 0;
    OK(mqttp2p_aliyun_p2p_topic(BYTES("devices"), BYTES("GID_a@@@1"), topic, sizeof topic, &len));
    CHECK(is(mqttp2p_bytes(topic, len), "devices/p2p/GID_a@@@1", 21));
    CHECK_STATUS(mqttp2p_aliyun_p2p_topic(BYTES("d/e"), BYTES("GID_a@@@1"), topic, sizeof topic, &len),
                 MQTTP2P_E_PARENT_TOPIC);
    CHECK_STATUS(mqttp2p_aliyun_p2p_topic(BYTES("devices"), BYTES("a/b"), topic, sizeof topic, &len),
                 MQTTP2P_E_P2P_TARGET);
    OK(mqttp2p_aliyun_parse_p2p(BYTES("devices/p2p/GID_a@@@1/cmd/"), &p2p));
    CHECK(IS(p2p.parent, "devices") && IS(p2p.target, "GID_a@@@1") && IS(p2p.rest, "cmd"));
    OK(mqttp2p_aliyun_parse_p2p(BYTES("devices/p2p/GID_a@@@1"), &p2p));
    CHECK(p2p.rest.ptr == NULL);
    CHECK_STATUS(mqttp2p_aliyun_parse_p2p(BYTES("devices/state"), &p2p), MQTTP2P_NONE);
    CHECK_STATUS(mqttp2p_aliyun_parse_p2p(BYTES("d/p2p/x"), NULL), MQTTP2P_E_NULL);
}

static void a_p2p_message_goes_to_its_topic(void)
{
    bench_t bench = online(NULL);
    OK(mqttp2p_publish_p2p(bench.client, BYTES("par"), BYTES("me"), BYTES("hi"), 0, NULL));
    EXPECT(&bench, MQTTP2P_EVENT_PUBLISHED);
    SENT(&bench, "\x30\x0e\0\x0apar/p2p/mehi");
    CHECK_STATUS(mqttp2p_publish_p2p(bench.client, BYTES("p"), BYTES("me"), BYTES("hi"), 0, NULL), MQTTP2P_E_PARENT_TOPIC);
    CHECK_STATUS(mqttp2p_publish_p2p(bench.client, BYTES("par"), BYTES("m+"), BYTES("hi"), 0, NULL), MQTTP2P_E_P2P_TARGET);
    CHECK_STATUS(mqttp2p_publish_p2p(bench.client, BYTES("par"), BYTES("me"), BYTES("hi"), 9, NULL),
                 MQTTP2P_E_INVALID_ARGUMENT);
    OK(mqttp2p_client_free(bench.client));
}

static void every_mode_makes_its_log_in(void)
{
    static const struct {
        uint32_t mode;
        const char *key, *secret, *instance, *user, *expected_user, *expected_password;
    } MODES[] = {
        /* The vector of the documentation's own example; HMAC-SHA1 of client id by secret. */
        {MQTTP2P_ALIYUN_SIGNATURE, "AK", "XXXXX", "post-cn", NULL, "Signature|AK|post-cn", "vI009IZJZVGRwBwZvnbwjfuXxVM="},
        {MQTTP2P_ALIYUN_DEVICE_CREDENTIAL, "DC.k", "XXXXX", "post-cn", NULL, "DeviceCredential|DC.k|post-cn",
         "vI009IZJZVGRwBwZvnbwjfuXxVM="},
        {MQTTP2P_ALIYUN_CUSTOM_SIGNED, NULL, "XXXXX", NULL, "alice", "alice", "vI009IZJZVGRwBwZvnbwjfuXxVM="},
        {MQTTP2P_ALIYUN_CUSTOM_ORIGIN, NULL, "XXXXX", NULL, "alice", "alice", "XXXXX"},
        {MQTTP2P_ALIYUN_PRECOMPUTED, "AK", "given", "post-cn", NULL, "Signature|AK|post-cn", "given"},
    };
    uint8_t buffer[160];
    size_t i, len, needed;
    for (i = 0; i < sizeof MODES / sizeof MODES[0]; i++) {
        mqttp2p_credentials_t credentials = MQTTP2P_CREDENTIALS_INIT;
        mqttp2p_login_t login = MQTTP2P_LOGIN_INIT;
        credentials.mode = MODES[i].mode;
        credentials.access_key_id = mqttp2p_str(MODES[i].key);
        credentials.secret = mqttp2p_str(MODES[i].secret);
        credentials.instance_id = mqttp2p_str(MODES[i].instance);
        credentials.user_name = mqttp2p_str(MODES[i].user);
        OK(mqttp2p_aliyun_log_in(&credentials, BYTES("GID_Test@@@0001"), buffer, sizeof buffer, &len, &login));
        CHECK(is(login.user_name, MODES[i].expected_user, strlen(MODES[i].expected_user)));
        CHECK(is(login.password, MODES[i].expected_password, strlen(MODES[i].expected_password)));
        CHECK(IS(login.client_id, "GID_Test@@@0001") && len == login.user_name.len + login.password.len);
        CHECK_STATUS(mqttp2p_aliyun_log_in(&credentials, BYTES("GID_Test@@@0001"), buffer, len - 1, &needed, &login),
                     MQTTP2P_E_BUFFER_TOO_SMALL);
        CHECK(needed == len);
        credentials.secret = mqttp2p_bytes(NULL, 0);
        CHECK_STATUS(mqttp2p_aliyun_log_in(&credentials, BYTES("GID_Test@@@0001"), buffer, sizeof buffer, &len, &login),
                     MQTTP2P_E_CREDENTIALS_MISSING);
    }
}

static void token_log_ins_join_their_tokens(void)
{
    mqttp2p_credentials_t credentials = MQTTP2P_CREDENTIALS_INIT;
    mqttp2p_login_t login = MQTTP2P_LOGIN_INIT;
    uint8_t buffer[160];
    size_t len;
    credentials.mode = MQTTP2P_ALIYUN_TOKEN;
    credentials.access_key_id = BYTES("AK");
    credentials.instance_id = BYTES("post-cn");
    CHECK_STATUS(mqttp2p_aliyun_log_in(&credentials, BYTES("c"), buffer, sizeof buffer, &len, &login),
                 MQTTP2P_E_CREDENTIALS_MISSING);
    credentials.token_r = BYTES("123");
    credentials.token_w = BYTES("abcd");
    OK(mqttp2p_aliyun_log_in(&credentials, BYTES("c"), buffer, sizeof buffer, &len, &login));
    CHECK(IS(login.user_name, "Token|AK|post-cn") && IS(login.password, "R|123|W|abcd"));
    credentials.token_rw = BYTES("a|b");
    CHECK_STATUS(mqttp2p_aliyun_log_in(&credentials, BYTES("c"), buffer, sizeof buffer, &len, &login), MQTTP2P_E_TOKEN);
    credentials.mode = MQTTP2P_ALIYUN_SIGNATURE;
    credentials.secret = BYTES("with space");
    CHECK_STATUS(mqttp2p_aliyun_log_in(&credentials, BYTES("c"), buffer, sizeof buffer, &len, &login),
                 MQTTP2P_E_CREDENTIALS_CHARACTER);
    credentials.mode = 0;
    CHECK_STATUS(mqttp2p_aliyun_log_in(&credentials, BYTES("c"), buffer, sizeof buffer, &len, &login),
                 MQTTP2P_E_INVALID_ARGUMENT);
    CHECK_STATUS(mqttp2p_aliyun_log_in(NULL, BYTES("c"), buffer, sizeof buffer, &len, &login), MQTTP2P_E_NULL);
}

static void signatures_are_those_of_the_vectors(void)
{
    /* The second and the third are of RFC 2202. */
    static const struct {
        const char *key, *message, *signature;
    } VECTORS[] = {
        {"XXXXX", "GID_XXXX@@@00001", "wgBKFWmzyGosuT7IH6WkYVe/cZI="},
        {"Jefe", "what do ya want for nothing?", "7/zfauXrL6LSdBbV8YTfnCWafHk="},
        {"key", "The quick brown fox jumps over the lazy dog", "3nybhbi3iqa8ino29wqQcBydtNk="},
    };
    uint8_t signature[MQTTP2P_ALIYUN_SIGNATURE_LEN];
    size_t i;
    for (i = 0; i < sizeof VECTORS / sizeof VECTORS[0]; i++) {
        mqttp2p_bytes_t key = mqttp2p_str(VECTORS[i].key), message = mqttp2p_str(VECTORS[i].message);
        OK(mqttp2p_aliyun_sign(key, message, signature));
        CHECK(memcmp(signature, VECTORS[i].signature, sizeof signature) == 0);
        CHECK(mqttp2p_aliyun_verify_signature(key, message, mqttp2p_str(VECTORS[i].signature)) == 1);
        CHECK(mqttp2p_aliyun_verify_signature(key, message, BYTES("no")) == 0);
    }
    CHECK_STATUS(mqttp2p_aliyun_sign(BYTES("k"), BYTES("m"), NULL), MQTTP2P_E_NULL);
}

static void notices_about_tokens_are_read(void)
{
    mqttp2p_token_notice_t notice;
    OK(mqttp2p_aliyun_token_notice(BYTES("$SYS/tokenExpireNotice"), BYTES("{\"expireTime\":1700000000000,\"type\":\"RW\"}"),
                                   &notice));
    CHECK(notice.type == MQTTP2P_NOTICE_EXPIRE && notice.token == MQTTP2P_TOKEN_RW &&
          notice.expires_at_ms == 1700000000000u);
    OK(mqttp2p_aliyun_token_notice(BYTES("$SYS/tokenInvalidNotice"), BYTES("{\"code\":-1,\"type\":\"R\"}"), &notice));
    CHECK(notice.type == MQTTP2P_NOTICE_INVALID && notice.token == MQTTP2P_TOKEN_R && notice.code == -1);
    CHECK_STATUS(mqttp2p_aliyun_token_notice(BYTES("t"), BYTES("{}"), &notice), MQTTP2P_NONE);
    CHECK_STATUS(mqttp2p_aliyun_token_notice(BYTES("$SYS/tokenInvalidNotice"), BYTES("{}"), &notice), MQTTP2P_E_NOTICE);
}

static void the_upload_of_a_token_is_its_json(void)
{
    uint8_t buffer[64];
    size_t len;
    OK(mqttp2p_aliyun_write_upload(MQTTP2P_TOKEN_RW, BYTES("LzMT+XLFl5u="), buffer, sizeof buffer, &len));
    CHECK(is(mqttp2p_bytes(buffer, len), "{\"token\":\"LzMT+XLFl5u=\",\"type\":\"RW\"}", 36));
    CHECK_STATUS(mqttp2p_aliyun_write_upload(MQTTP2P_TOKEN_RW, BYTES("LzMT+XLFl5u="), buffer, 35, &len),
                 MQTTP2P_E_BUFFER_TOO_SMALL);
    CHECK(len == 36);
    CHECK_STATUS(mqttp2p_aliyun_write_upload(MQTTP2P_TOKEN_RW, BYTES("a\""), buffer, sizeof buffer, &len), MQTTP2P_E_TOKEN);
    CHECK_STATUS(mqttp2p_aliyun_write_upload(3, BYTES("a"), buffer, sizeof buffer, &len), MQTTP2P_E_INVALID_ARGUMENT);
}

static void a_token_is_renewed_before_it_expires(void)
{
    mqttp2p_token_lifecycle_memory_t memory;
    mqttp2p_token_lifecycle_t *life;
    mqttp2p_token_notice_t notice;
    uint64_t now = 1700000000000u, hour = 3600000, at = 0;
    CHECK_STATUS(mqttp2p_token_lifecycle_init(&memory, sizeof memory, 0, NULL, &life), MQTTP2P_E_INVALID_ARGUMENT);
    CHECK_STATUS(mqttp2p_token_lifecycle_init(&memory, sizeof memory, 8, NULL, &life), MQTTP2P_E_INVALID_ARGUMENT);
    OK(mqttp2p_token_lifecycle_init(&memory, sizeof memory, MQTTP2P_TOKEN_RW, NULL, &life));
    CHECK(mqttp2p_token_lifecycle_due(life, now) == MQTTP2P_TOKEN_RW && mqttp2p_token_lifecycle_log_in(life, now) == 0);
    CHECK_STATUS(mqttp2p_token_lifecycle_obtained(life, MQTTP2P_TOKEN_RW, now, now - 1), MQTTP2P_E_TOKEN_EXPIRED);
    CHECK(mqttp2p_token_lifecycle_due(life, now) == 0);
    OK(mqttp2p_token_lifecycle_obtained(life, MQTTP2P_TOKEN_RW, now, now + hour));
    CHECK(mqttp2p_token_lifecycle_log_in(life, now) == 1);
    OK(mqttp2p_token_lifecycle_logged_in(life, now));
    OK(mqttp2p_token_lifecycle_due_at(life, now, &at));
    CHECK(at == now + hour - 300000);

    now = at;
    notice.type = MQTTP2P_NOTICE_EXPIRE;
    notice.token = MQTTP2P_TOKEN_RW;
    notice.expires_at_ms = now + 300000;
    notice.code = 0;
    CHECK(mqttp2p_token_lifecycle_notice(life, &notice, now) == MQTTP2P_ADVICE_RENEW);
    OK(mqttp2p_token_lifecycle_obtained(life, MQTTP2P_TOKEN_RW, now, now + hour));
    CHECK(mqttp2p_token_lifecycle_upload(life, MQTTP2P_TOKEN_RW, now) == 1);
    OK(mqttp2p_token_lifecycle_uploaded(life, MQTTP2P_TOKEN_RW, now));
    CHECK(mqttp2p_token_lifecycle_notice(life, &notice, now) == MQTTP2P_ADVICE_STALE);
    OK(mqttp2p_token_lifecycle_lost(life));

    /* A refusal may be cured by a new token; a second one can't. */
    CHECK(mqttp2p_token_lifecycle_log_in(life, now) == 1);
    CHECK(mqttp2p_token_lifecycle_refused(life, now) == MQTTP2P_ADVICE_RENEW);
    OK(mqttp2p_token_lifecycle_obtained(life, MQTTP2P_TOKEN_RW, now, 0));
    CHECK(mqttp2p_token_lifecycle_log_in(life, now) == 1);
    CHECK(mqttp2p_token_lifecycle_refused(life, now) == MQTTP2P_ADVICE_GIVE_UP);
    CHECK_STATUS(mqttp2p_token_lifecycle_due_at(life, now, &at), MQTTP2P_NONE);
    OK(mqttp2p_token_lifecycle_start_over(life));
    OK(mqttp2p_token_lifecycle_failed(life, MQTTP2P_TOKEN_RW, now));
    CHECK(mqttp2p_token_lifecycle_due(life, now) == 0);
    CHECK_STATUS(mqttp2p_token_lifecycle_failed(life, 7, now), MQTTP2P_E_INVALID_ARGUMENT);
    CHECK_STATUS(mqttp2p_token_lifecycle_notice(life, NULL, now), MQTTP2P_E_NULL);
    CHECK_STATUS(mqttp2p_token_lifecycle_lost(NULL), MQTTP2P_E_NULL);
}

static void margins_have_the_same_first_values_as_none(void)
{
    mqttp2p_margins_t margins = MQTTP2P_MARGINS_INIT;
    mqttp2p_token_lifecycle_memory_t a, b;
    mqttp2p_token_lifecycle_t *life[2];
    uint64_t at[2];
    int i;
    OK(mqttp2p_token_lifecycle_init(&a, sizeof a, MQTTP2P_TOKEN_R, &margins, &life[0]));
    OK(mqttp2p_token_lifecycle_init(&b, sizeof b, MQTTP2P_TOKEN_R, NULL, &life[1]));
    for (i = 0; i < 2; i++) {
        OK(mqttp2p_token_lifecycle_obtained(life[i], MQTTP2P_TOKEN_R, 1000, 10000000));
        OK(mqttp2p_token_lifecycle_due_at(life[i], 1000, &at[i]));
    }
    CHECK(at[0] == at[1]);
    margins.struct_size = 3;
    CHECK_STATUS(mqttp2p_token_lifecycle_init(&a, sizeof a, MQTTP2P_TOKEN_R, &margins, &life[0]), MQTTP2P_E_INVALID_ARGUMENT);
}

static void a_closed_connection_is_explained(void)
{
    mqttp2p_diagnosis_memory_t memory;
    mqttp2p_diagnosis_t *diagnosis;
    mqttp2p_cause_t cause;
    OK(mqttp2p_diagnosis_init(&memory, sizeof memory, &diagnosis));
    OK(mqttp2p_diagnosis_connected(diagnosis, 0));
    OK(mqttp2p_diagnosis_used(diagnosis, BYTES("devcies/state"), 2, 100));
    OK(mqttp2p_diagnosis_explain(diagnosis, MQTTP2P_REASON_CLOSED_BY_PEER, 300, &cause));
    CHECK(cause.type == MQTTP2P_CAUSE_TOPIC_NOT_AUTHORISED && IS(cause.parent, "devcies"));
    CHECK(cause.advice.len > 20);
    OK(mqttp2p_diagnosis_explain(diagnosis, MQTTP2P_REASON_CLOSED_BY_PEER, 300, &cause));
    CHECK(cause.type == MQTTP2P_CAUSE_LOGIN);
    OK(mqttp2p_diagnosis_connected(diagnosis, 400));
    OK(mqttp2p_diagnosis_confirmed(diagnosis, BYTES("devcies/state")));
    OK(mqttp2p_diagnosis_answered(diagnosis));
    OK(mqttp2p_diagnosis_used(diagnosis, BYTES("devcies/state"), 70000, 500));
    OK(mqttp2p_diagnosis_explain(diagnosis, MQTTP2P_REASON_TAKEOVER_SUSPECTED, 500, &cause));
    CHECK(cause.type == MQTTP2P_CAUSE_OVERSIZE && cause.length > 70000);
    OK(mqttp2p_diagnosis_explain(diagnosis, MQTTP2P_REASON_KEEP_ALIVE_TIMEOUT, 500, &cause));
    CHECK(cause.type == MQTTP2P_CAUSE_NONE);
    CHECK_STATUS(mqttp2p_diagnosis_explain(diagnosis, 1, 500, NULL), MQTTP2P_E_NULL);
    CHECK_STATUS(mqttp2p_diagnosis_used(diagnosis, BYTES("\xff"), 0, 0), MQTTP2P_E_TEXT);
}

static void repeated_messages_are_let_through_once(void)
{
    mqttp2p_deduplicator_memory_t memory;
    mqttp2p_deduplicator_t *seen;
    uint8_t seed[16] = {7};
    CHECK_STATUS(mqttp2p_deduplicator_init(&memory, sizeof memory, NULL, &seen), MQTTP2P_E_NULL);
    OK(mqttp2p_deduplicator_init(&memory, sizeof memory, seed, &seen));
    CHECK(mqttp2p_deduplicator_has_seen(seen, BYTES("order 1")) == 0);
    CHECK(mqttp2p_deduplicator_is_new(seen, BYTES("order 1")) == 1);
    CHECK(mqttp2p_deduplicator_is_new(seen, BYTES("order 1")) == 0);
    CHECK(mqttp2p_deduplicator_has_seen(seen, BYTES("order 1")) == 1);
}

static void the_services_limits_are_warned_of(void)
{
    mqttp2p_bytes_t filters[3];
    filters[0] = BYTES("devices/+/state");
    filters[1] = BYTES("devices/#");
    filters[2] = BYTES("site/alarms");
    OK(mqttp2p_aliyun_topic_warning(BYTES("devices/p2p/GID_test@@@1")));
    CHECK_STATUS(mqttp2p_aliyun_topic_warning(BYTES("devices/state 1")), MQTTP2P_WARNING_CHARACTER);
    CHECK_STATUS(mqttp2p_aliyun_topic_warning(BYTES("devices/01234567890123456789012345678901234567890123456789012345678")),
                 MQTTP2P_WARNING_TOO_LONG);
    CHECK(mqttp2p_aliyun_same_topic(BYTES("a/b"), BYTES("a/b/")) == 1);
    CHECK(mqttp2p_aliyun_same_topic(BYTES("a/b"), BYTES("a")) == 0);
    CHECK(mqttp2p_aliyun_count_subscriptions(filters, 3, mqttp2p_bytes(NULL, 0)) == 3);
    CHECK(mqttp2p_aliyun_count_subscriptions(filters, 3, BYTES("devices")) == 2);
    CHECK_STATUS(mqttp2p_aliyun_count_subscriptions(NULL, 3, BYTES("devices")), MQTTP2P_E_NULL);
}

/* ---- WebSocket ---- */

static void a_websocket_connection_carries_packets_both_ways(void)
{
    /* What another program's SHA-1 and Base64 make of the key that this seed makes. */
    static const char ANSWER[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                 "Sec-WebSocket-Accept: c4e9up53ccY2S2qxkPKAEC4W3LM=\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n\x82";
    mqttp2p_websocket_memory_t memory;
    mqttp2p_websocket_t *socket = NULL;
    uint8_t seed[16] = {7}, buffer[256], frame[] = {2, 0xd0, 0, 0x89, 0}, payload[2];
    size_t len = 0, taken = 0, i;
    uint32_t detail = 0;
    int32_t reason = 0;
    CHECK_STATUS(mqttp2p_websocket_init(&memory, sizeof memory, NULL, &socket), MQTTP2P_E_NULL);
    CHECK_STATUS(mqttp2p_websocket_init(&memory, 1, seed, &socket), MQTTP2P_E_MEMORY_TOO_SMALL);
    OK(mqttp2p_websocket_init(&memory, sizeof memory, seed, &socket));
    CHECK_STATUS(mqttp2p_websocket_open(socket, BYTES("a b"), BYTES("/"), 4, buffer, sizeof buffer, &len), MQTTP2P_E_URL);
    CHECK_STATUS(mqttp2p_websocket_open(socket, BYTES("h"), BYTES("/"), 5, buffer, sizeof buffer, &len),
                 MQTTP2P_E_INVALID_ARGUMENT);
    CHECK_STATUS(mqttp2p_websocket_open(socket, BYTES("h"), BYTES("/mqtt"), 4, buffer, 10, &len),
                 MQTTP2P_E_BUFFER_TOO_SMALL);
    OK(mqttp2p_websocket_init(&memory, sizeof memory, seed, &socket));
    OK(mqttp2p_websocket_open(socket, BYTES("h"), BYTES("/mqtt"), 4, buffer, len, &len));
    CHECK(memcmp(buffer, "GET /mqtt HTTP/1.1\r\nHost: h\r\n", 29) == 0);

    /* The answer, byte by byte, and the beginning of a frame. */
    for (i = 0; i < sizeof ANSWER - 1; i++) {
        buffer[0] = (uint8_t)ANSWER[i];
        OK(mqttp2p_websocket_receive(socket, buffer, 1, &len));
        CHECK(len == 0);
    }
    CHECK(mqttp2p_websocket_is_open(socket) == 1);
    /* The rest of the frame, and a ping. */
    OK(mqttp2p_websocket_receive(socket, frame, sizeof frame, &len));
    CHECK(is(mqttp2p_bytes(frame, len), "\xd0\0", 2));

    /* A pong, and the packet with its mask taken off. */
    CHECK(mqttp2p_websocket_wants_transmit(socket) == 1);
    CHECK_STATUS(mqttp2p_websocket_transmit(socket, BYTES("\xc0\0"), buffer, 5, &taken, &len), MQTTP2P_E_BUFFER_TOO_SMALL);
    CHECK_STATUS(mqttp2p_websocket_transmit(socket, BYTES("\xc0\0"), buffer, sizeof buffer, NULL, &len), MQTTP2P_E_NULL);
    OK(mqttp2p_websocket_transmit(socket, BYTES("\xc0\0"), buffer, sizeof buffer, &taken, &len));
    CHECK(len == 14 && taken == 2 && buffer[0] == 0x8a && buffer[1] == 0x80 && buffer[6] == 0x82 && buffer[7] == 0x82);
    payload[0] = buffer[12] ^ buffer[8];
    payload[1] = buffer[13] ^ buffer[9];
    CHECK(memcmp(payload, "\xc0\0", 2) == 0);
    CHECK_STATUS(mqttp2p_websocket_transmit(socket, BYTES("\xc0"), buffer, sizeof buffer, &taken, &len),
                 MQTTP2P_E_INVALID_ARGUMENT);

    CHECK_STATUS(mqttp2p_websocket_end(socket, &reason, &detail), MQTTP2P_NONE);
    memcpy(buffer, "\x88\2\3\xe9", 4);
    OK(mqttp2p_websocket_receive(socket, buffer, 4, &len));
    OK(mqttp2p_websocket_end(socket, &reason, &detail));
    CHECK(reason == MQTTP2P_REASON_CLOSED_BY_PEER && detail == 1001);
    /* The close frame is answered. */
    OK(mqttp2p_websocket_transmit(socket, BYTES(""), buffer, sizeof buffer, &taken, &len));
    CHECK(len == 8 && buffer[0] == 0x88);
    OK(mqttp2p_websocket_close(socket));
}

static void an_upgrade_that_is_refused_tells_its_status(void)
{
    mqttp2p_websocket_memory_t memory;
    mqttp2p_websocket_t *socket = NULL;
    uint8_t seed[16] = {7}, buffer[256];
    size_t len = 0;
    uint32_t detail = 0;
    int32_t reason = 0;
    OK(mqttp2p_websocket_init(&memory, sizeof memory, seed, &socket));
    OK(mqttp2p_websocket_open(socket, BYTES("h"), BYTES("/mqtt"), 4, buffer, sizeof buffer, &len));
    memcpy(buffer, "HTTP/1.1 404 Not Found\r\n\r\n", 26);
    OK(mqttp2p_websocket_receive(socket, buffer, 26, &len));
    OK(mqttp2p_websocket_end(socket, &reason, &detail));
    CHECK(len == 0 && reason == MQTTP2P_REASON_UPGRADE && detail == 404 && mqttp2p_websocket_is_open(socket) == 0);
    CHECK_STATUS(mqttp2p_websocket_receive(socket, NULL, 1, &len), MQTTP2P_E_NULL);
    CHECK_STATUS(mqttp2p_websocket_close(NULL), MQTTP2P_E_NULL);
}

/* ---- all of them ---- */

#define TEST(name) {name, #name}

int main(void)
{
    static const struct {
        void (*run)(void);
        const char *name;
    } TESTS[] = {
        TEST(a_client_in_memory_of_the_callers_works_without_a_heap),
        TEST(sizes_in_the_header_hold_what_they_are_for),
        TEST(wrong_memory_for_a_client_gets_a_status),
        TEST(what_is_no_client_gets_a_status),
        TEST(each_kind_of_client_is_ended_by_its_own_call),
        TEST(the_log_in_is_wiped_when_a_client_ends),
        TEST(macros_and_calls_give_the_same_first_values),
        TEST(a_configuration_that_is_none_is_refused),
        TEST(a_shorter_struct_of_an_older_header_gets_defaults_for_the_rest),
        TEST(a_log_in_becomes_a_connect_packet),
        TEST(what_is_wrong_with_a_log_in_is_told_at_once_and_the_attempt_goes_on),
        TEST(a_refusal_tells_its_reason_and_that_it_is_final),
        TEST(a_lost_transport_is_dialled_again),
        TEST(leaving_says_good_bye_and_ends),
        TEST(a_pause_stops_attempts_and_its_end_brings_them_forward),
        TEST(the_edition_can_be_changed_until_connect_goes_out),
        TEST(pings_go_out_in_time_or_on_demand),
        TEST(publications_of_every_qos_end_in_their_event),
        TEST(publications_of_qos_0_end_silently_on_demand_and_then_one_poll_does),
        TEST(what_can_not_be_published_gets_a_status_and_nothing_goes_out),
        TEST(a_full_client_says_so_and_takes_more_later),
        TEST(a_write_that_takes_one_byte_at_a_time_sends_each_byte_once),
        TEST(subscriptions_are_answered_filter_by_filter),
        TEST(subscriptions_are_asked_for_again_after_a_reconnect),
        TEST(the_publication_that_goes_alone_holds_back_the_others),
        TEST(nothing_is_queued_where_the_configuration_says_so),
        TEST(messages_lie_in_the_callers_buffer_and_are_acknowledged_by_the_next_poll),
        TEST(a_message_that_comes_byte_by_byte_comes_once),
        TEST(manual_acknowledgement_waits_for_the_call),
        TEST(long_messages_come_in_parts_on_demand),
        TEST(a_server_that_breaks_the_rules_is_left_with_its_reason),
        TEST(poll_checks_its_arguments),
        TEST(a_session_goes_on_in_another_client),
        TEST(a_session_kept_change_by_change_is_restored),
        TEST(requests_are_paced_on_demand),
        TEST(topics_and_packets_are_judged_without_a_client),
        TEST(every_reason_is_described_with_what_to_do),
        TEST(client_ids_follow_the_services_rules),
        TEST(p2p_topics_are_built_and_taken_apart),
        TEST(a_p2p_message_goes_to_its_topic),
        TEST(every_mode_makes_its_log_in),
        TEST(token_log_ins_join_their_tokens),
        TEST(signatures_are_those_of_the_vectors),
        TEST(notices_about_tokens_are_read),
        TEST(the_upload_of_a_token_is_its_json),
        TEST(a_token_is_renewed_before_it_expires),
        TEST(margins_have_the_same_first_values_as_none),
        TEST(a_closed_connection_is_explained),
        TEST(repeated_messages_are_let_through_once),
        TEST(the_services_limits_are_warned_of),
        TEST(a_websocket_connection_carries_packets_both_ways),
        TEST(an_upgrade_that_is_refused_tells_its_status),
    };
    size_t i, passed = 0, failed = 0;
    for (i = 0; i < sizeof TESTS / sizeof TESTS[0]; i++) {
        int before = checks_failed;
        TESTS[i].run();
        printf("test %s ... %s\n", TESTS[i].name, before == checks_failed ? "ok" : "FAILED");
        if (before == checks_failed)
            passed++;
        else
            failed++;
    }
    printf("test result: %lu passed; %lu failed\n", (unsigned long)passed, (unsigned long)failed);
    return failed != 0;
}
