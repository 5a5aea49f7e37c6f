/*
 * Subscribes and prints messages until so many have come.
 *
 *     listen URL FILTER COUNT
 */
#include <stdio.h>
#include <stdlib.h>

#include "mqttp2p_posix.h"

int main(int argc, char **argv)
{
    mqttp2p_posix_options_t options = MQTTP2P_POSIX_OPTIONS_INIT;
    mqttp2p_posix_t *mqtt;
    mqttp2p_action_t event;
    mqttp2p_filter_t filter;
    mqttp2p_status_t status;
    long left;

    if (argc != 4) {
        fprintf(stderr, "usage: %s URL FILTER COUNT\n", argv[0]);
        return 2;
    }
    left = strtol(argv[3], NULL, 10);
    options.url = argv[1];
    options.client_id = "example-listen";
    status = mqttp2p_posix_open(&options, &mqtt);
    if (status != MQTTP2P_OK) {
        fprintf(stderr, "error: %s\n", mqttp2p_status_str(status));
        return 1;
    }

    filter.filter = mqttp2p_str(argv[2]);
    filter.qos = 1;
    status = mqttp2p_subscribe(mqttp2p_posix_client(mqtt), &filter, 1, NULL);
    while (status == MQTTP2P_OK && left > 0) {
        status = mqttp2p_posix_next(mqtt, &event, -1);
        if (status != MQTTP2P_OK)
            break;
        switch (event.type) {
        case MQTTP2P_EVENT_SUBSCRIBED:
            /* One return code for each filter. */
            printf("%s\n", event.data.ptr[0] == 0x80 ? "refused" : "listening");
            fflush(stdout);
            break;
        case MQTTP2P_EVENT_MESSAGE:
            printf("%.*s: %.*s\n", (int)event.topic.len, (const char *)event.topic.ptr, (int)event.data.len,
                   (const char *)event.data.ptr);
            fflush(stdout);
            left--;
            break;
        case MQTTP2P_EVENT_REFUSED:
            fprintf(stderr, "error: the log-in was refused\n");
            left = -1;
            break;
        default: /* Connections come and go. */
            break;
        }
    }
    if (status != MQTTP2P_OK)
        fprintf(stderr, "error: %s\n", mqttp2p_status_str(status));
    mqttp2p_posix_close(mqtt, 2000);
    return left == 0 ? 0 : 1;
}
