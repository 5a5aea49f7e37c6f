/*
 * C++17: answers every message to a topic, to the topic with "/echo" behind it, until so many have come.
 *
 *     echo URL TOPIC COUNT
 */
#include <cstdlib>
#include <iostream>
#include <string>

#include "mqttp2p.hpp"

int main(int argc, char **argv)
{
    if (argc != 4) {
        std::cerr << "usage: " << argv[0] << " URL TOPIC COUNT\n";
        return 2;
    }
    mqttp2p::Options options;
    options.url = argv[1];
    options.client_id = "example-echo";
    mqttp2p::Connection mqtt;
    if (auto status = mqtt.open(options); !status) {
        std::cerr << "error: " << status.message() << '\n';
        return 1;
    }

    auto status = mqtt.subscribe(argv[2], mqttp2p::QoS::exactly_once);
    long received = 0;
    long answered = 0;
    const long count = std::strtol(argv[3], nullptr, 10);
    mqttp2p::Action event;
    while (status && answered < count && (status = mqtt.next(event))) {
        if (event.type == MQTTP2P_EVENT_SUBSCRIBED) {
            std::cout << "listening" << std::endl;
        } else if (event.type == MQTTP2P_EVENT_MESSAGE && received < count) {
            std::cout << event.topic_text() << ": " << event.text() << std::endl;
            const std::string topic = std::string(event.topic_text()) + "/echo";
            status = mqtt.publish(topic, event.bytes(), mqttp2p::QoS::exactly_once);
            received++;
        } else if (event.type == MQTTP2P_EVENT_PUBLISHED) {
            answered++;
        }
    }
    if (!status)
        std::cerr << "error: " << status.message() << '\n';
    return status ? 0 : 1;
}
