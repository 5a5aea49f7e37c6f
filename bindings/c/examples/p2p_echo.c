/*
 * ApsaraMQ: sends a P2P message to itself, and prints it when it comes; no subscription is needed.
 *
 *     MQTT_P2P_SECRET_KEY=... p2p_echo URL ACCESS_KEY_ID INSTANCE_ID GROUP_ID DEVICE_ID PARENT_TOPIC TEXT
 */
#include <stdio.h>
#include <stdlib.h>

#include "mqttp2p_posix.h"

int main(int argc, char **argv)
{
    mqttp2p_posix_options_t options = MQTTP2P_POSIX_OPTIONS_INIT;
    mqttp2p_credentials_t key = MQTTP2P_CREDENTIALS_INIT;
    mqttp2p_posix_t *mqtt;
    mqttp2p_action_t event;
    mqttp2p_status_t status;
    char client_id[MQTTP2P_ALIYUN_CLIENT_ID_MAX + 1];
    size_t len;
    int got = 0;

    if (argc != 8 || getenv("MQTT_P2P_SECRET_KEY") == NULL) {
        fprintf(stderr, "usage: MQTT_P2P_SECRET_KEY=... %s URL ACCESS_KEY_ID INSTANCE_ID GROUP_ID DEVICE_ID PARENT TEXT\n",
                argv[0]);
        return 2;
    }
    status = mqttp2p_aliyun_client_id(mqttp2p_str(argv[4]), mqttp2p_str(argv[5]), (uint8_t *)client_id,
                                      MQTTP2P_ALIYUN_CLIENT_ID_MAX, &len);
    if (status != MQTTP2P_OK) {
        fprintf(stderr, "error: %s\n", mqttp2p_status_str(status));
        return 1;
    }
    client_id[len] = '\0';

    key.mode = MQTTP2P_ALIYUN_SIGNATURE;
    key.access_key_id = mqttp2p_str(argv[2]);
    key.secret = mqttp2p_str(getenv("MQTT_P2P_SECRET_KEY"));
    key.instance_id = mqttp2p_str(argv[3]);
    options.url = argv[1];
    options.client_id = client_id;
    options.credentials = &key;
    status = mqttp2p_posix_open(&options, &mqtt);
    if (status != MQTTP2P_OK) {
        fprintf(stderr, "error: %s\n", mqttp2p_status_str(status));
        return 1;
    }

    status = mqttp2p_publish_p2p(mqttp2p_posix_client(mqtt), mqttp2p_str(argv[6]), mqttp2p_str(client_id),
                                 mqttp2p_str(argv[7]), 1, NULL);
    while (status == MQTTP2P_OK && !got) {
        status = mqttp2p_posix_next(mqtt, &event, 10000);
        if (status != MQTTP2P_OK)
            break;
        if (event.type == MQTTP2P_EVENT_MESSAGE) {
            mqttp2p_p2p_t p2p;
            if (mqttp2p_aliyun_parse_p2p(event.topic, &p2p) == MQTTP2P_OK)
                printf("for %.*s: ", (int)p2p.target.len, (const char *)p2p.target.ptr);
            printf("%.*s\n", (int)event.data.len, (const char *)event.data.ptr);
            got = 1;
        } else if (event.type == MQTTP2P_EVENT_REFUSED || event.type == MQTTP2P_EVENT_DISCONNECTED) {
            uint8_t text[256];
            mqttp2p_reason_describe(event.reason, text, sizeof text, &len);
            fprintf(stderr, "%.*s\n", (int)(len < sizeof text ? len : sizeof text), (const char *)text);
            if (event.at_ms == MQTTP2P_NEVER)
                break;
        }
    }
    if (status != MQTTP2P_OK)
        fprintf(stderr, "error: %s\n", mqttp2p_status_str(status));
    mqttp2p_posix_close(mqtt, 2000);
    return got ? 0 : 1;
}
