/*
 * Sends one message and waits until the server has it.
 *
 *     send URL TOPIC TEXT
 */
#include <stdio.h>

#include "mqttp2p_posix.h"

int main(int argc, char **argv)
{
    mqttp2p_posix_options_t options = MQTTP2P_POSIX_OPTIONS_INIT;
    mqttp2p_posix_t *mqtt;
    mqttp2p_action_t event;
    mqttp2p_status_t status;
    uint32_t ticket;

    if (argc != 4) {
        fprintf(stderr, "usage: %s URL TOPIC TEXT\n", argv[0]);
        return 2;
    }
    options.url = argv[1];
    options.client_id = "example-send";
    status = mqttp2p_posix_open(&options, &mqtt);
    if (status != MQTTP2P_OK) {
        fprintf(stderr, "error: %s\n", mqttp2p_status_str(status));
        return 1;
    }

    status = mqttp2p_publish(mqttp2p_posix_client(mqtt), mqttp2p_str(argv[2]), mqttp2p_str(argv[3]), 1, 0, &ticket);
    while (status == MQTTP2P_OK) {
        status = mqttp2p_posix_next(mqtt, &event, 3000);
        if (status == MQTTP2P_OK && event.type == MQTTP2P_EVENT_PUBLISHED && event.ticket == ticket)
            break;
        if (status == MQTTP2P_OK && (event.type == MQTTP2P_EVENT_REFUSED || event.type == MQTTP2P_EVENT_DISCONNECTED)) {
            uint8_t text[256];
            size_t len = 0;
            mqttp2p_reason_describe(event.reason, text, sizeof text, &len);
            fprintf(stderr, "%.*s\n", (int)(len < sizeof text ? len : sizeof text), (const char *)text);
            if (event.at_ms == MQTTP2P_NEVER)
                break;
        }
    }
    if (status != MQTTP2P_OK)
        fprintf(stderr, "error: %s\n", mqttp2p_status_str(status));
    else if (event.type == MQTTP2P_EVENT_PUBLISHED)
        printf("sent\n");
    mqttp2p_posix_close(mqtt, 2000);
    return status == MQTTP2P_OK && event.type == MQTTP2P_EVENT_PUBLISHED ? 0 : 1;
}
