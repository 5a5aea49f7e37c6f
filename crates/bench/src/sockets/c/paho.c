/* Paho C, its asynchronous client: it has threads of its own. */
#include <MQTTAsync.h>
#include <semaphore.h>

#include "contender.h"

static MQTTAsync client;
/* Room among those under way, and what ended. */
static sem_t room, ended;
static int received;

static void on_end(void *context, MQTTAsync_successData *data) {
    (void)context, (void)data;
    sem_post(&room);
    sem_post(&ended);
}

static void on_failure(void *context, MQTTAsync_failureData *data) {
    (void)context, (void)data;
    fail("a request failed");
}

static int on_message(void *context, char *topic, int topic_len, MQTTAsync_message *message) {
    (void)context, (void)topic_len;
    int last = message->payloadlen == (int)sizeof payload && ++received == messages;
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    if (last) sem_post(&ended);
    return 1;
}

static void publish(int qos) {
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    response.onSuccess = on_end;
    response.onFailure = on_failure;
    if (MQTTAsync_send(client, TOPIC, sizeof payload, payload, qos, 0, &response) != MQTTASYNC_SUCCESS)
        fail("not published");
}

/* So many under way at most, also of QoS 0: it refuses more than it can hold. */
static void publish_many(int count, int qos) {
    for (int i = 0; i < count; i++) {
        sem_wait(&room);
        publish(qos);
    }
    if (qos == 0) {
        sem_wait(&room);
        publish(1);
        sem_wait(&ended);
    }
    for (int i = 0; i < count; i++) sem_wait(&ended);
}

static void publish_each(int count, int counts) {
    for (int i = 0; i < count; i++) {
        uint64_t sent = now();
        publish(1);
        sem_wait(&ended);
        if (counts) round_trips[round_trip_count++] = now() - sent;
    }
}

int main(int argc, char **argv) {
    char address[64];
    read_arguments(argc, argv);
    sem_init(&room, 0, WINDOW);
    sem_init(&ended, 0, 0);
    snprintf(address, sizeof address, "tcp://127.0.0.1:%d", port);
    if (MQTTAsync_create(&client, address, "bench", MQTTCLIENT_PERSISTENCE_NONE, NULL) != MQTTASYNC_SUCCESS)
        fail("not created");
    MQTTAsync_setCallbacks(client, NULL, NULL, on_message, NULL);
    MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
    options.cleansession = 1;
    options.maxInflight = WINDOW;
    options.onSuccess = on_end;
    options.onFailure = on_failure;
    if (MQTTAsync_connect(client, &options) != MQTTASYNC_SUCCESS) fail("not connected");
    sem_wait(&ended);
    sem_wait(&room);
    if (is_work("receive")) {
        MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
        response.onSuccess = on_end;
        response.onFailure = on_failure;
        watch_start();
        if (MQTTAsync_subscribe(client, TOPIC, 0, &response) != MQTTASYNC_SUCCESS) fail("not subscribed");
        sem_wait(&ended);
        puts("ready");
        fflush(stdout);
        sem_wait(&ended);
    } else if (is_work("round-trip")) {
        publish_each(messages / 10, 0);
        watch_start();
        publish_each(messages, 1);
    } else {
        int qos = is_work("publish-1");
        publish_many(messages / 10, qos);
        watch_start();
        publish_many(messages, qos);
    }
    watch_stop();
}
