/* libmosquitto, with its loop called from the one thread there is: it writes at once then. */
#include <mosquitto.h>

#include "contender.h"

static struct mosquitto *client;
static int connected, acked, received;

static void on_connect(struct mosquitto *m, void *object, int code) {
    (void)m, (void)object;
    connected = code == 0;
}

static void on_publish(struct mosquitto *m, void *object, int id) {
    (void)m, (void)object, (void)id;
    acked++;
}

static void on_message(struct mosquitto *m, void *object, const struct mosquitto_message *message) {
    (void)m, (void)object;
    received += message->payloadlen == (int)sizeof payload;
}

static void loop(int timeout) {
    if (mosquitto_loop(client, timeout, 1) != MOSQ_ERR_SUCCESS) fail("the connection ended");
}

static void publish(int qos) {
    if (mosquitto_publish(client, NULL, TOPIC, sizeof payload, payload, qos, false) != MOSQ_ERR_SUCCESS)
        fail("not published");
}

static void publish_0(int count) {
    /* on_publish tells of those of QoS 0 too, when they are written. */
    acked = 0;
    for (int i = 0; i < count; i++) {
        publish(0);
        if (i % 64 == 63) loop(0);
    }
    publish(1);
    while (acked < count + 1) loop(1000);
}

static void publish_1(int count) {
    acked = 0;
    for (int sent = 0; sent < count; sent++) {
        while (sent - acked >= WINDOW) loop(1000);
        publish(1);
    }
    while (acked < count) loop(1000);
}

static void publish_each(int count, int counts) {
    acked = 0;
    for (int i = 0; i < count; i++) {
        uint64_t sent = now();
        publish(1);
        while (acked == i) loop(1000);
        if (counts) round_trips[round_trip_count++] = now() - sent;
    }
}

int main(int argc, char **argv) {
    read_arguments(argc, argv);
    mosquitto_lib_init();
    client = mosquitto_new("bench", true, NULL);
    mosquitto_connect_callback_set(client, on_connect);
    mosquitto_publish_callback_set(client, on_publish);
    mosquitto_message_callback_set(client, on_message);
    mosquitto_max_inflight_messages_set(client, WINDOW);
    mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
    if (mosquitto_connect(client, "127.0.0.1", port, 60) != MOSQ_ERR_SUCCESS) fail("not connected");
    while (!connected) loop(1000);
    if (is_work("receive")) {
        watch_start();
        if (mosquitto_subscribe(client, NULL, TOPIC, 0) != MOSQ_ERR_SUCCESS) fail("not subscribed");
        loop(0);
        puts("ready");
        fflush(stdout);
        while (received < messages) loop(1000);
    } else if (is_work("publish-0")) {
        publish_0(messages / 10);
        watch_start();
        publish_0(messages);
    } else if (is_work("publish-1")) {
        publish_1(messages / 10);
        watch_start();
        publish_1(messages);
    } else {
        publish_each(messages / 10, 0);
        watch_start();
        publish_each(messages, 1);
    }
    watch_stop();
}
