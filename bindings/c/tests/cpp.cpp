/* The C++ header: who owns what, and what views are made of. */
#include <array>
#include <cstdio>
#include <string>
#include <type_traits>
#include <vector>

#include "mqttp2p.hpp"

static_assert(!std::is_copy_constructible_v<mqttp2p::Client> && !std::is_copy_assignable_v<mqttp2p::Client>);
static_assert(std::is_nothrow_move_constructible_v<mqttp2p::Client> && std::is_nothrow_move_assignable_v<mqttp2p::Client>);
static_assert(!std::is_copy_constructible_v<mqttp2p::Connection> && !std::is_copy_assignable_v<mqttp2p::Connection>);
static_assert(std::is_nothrow_move_constructible_v<mqttp2p::Connection>);
static_assert(sizeof(mqttp2p::Client) == sizeof(void *) && sizeof(mqttp2p::Bytes) == sizeof(mqttp2p_bytes_t));
/* A number is no range of bytes, and neither are numbers of more than one. */
static_assert(!std::is_convertible_v<int, mqttp2p::Bytes>);
static_assert(!std::is_convertible_v<std::vector<int>, mqttp2p::Bytes>);

static int failed;

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            std::printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                              \
            failed = 1;                                                                                      \
        }                                                                                                    \
    } while (0)

static void views_are_made_of_text_and_of_bytes()
{
    const std::string text = "abc";
    const std::vector<std::uint8_t> bytes = {1, 2, 3};
    const std::array<char, 3> array = {'x', 'y', 'z'};
    CHECK(mqttp2p::Bytes("abc").text() == "abc" && mqttp2p::Bytes(text).text() == "abc");
    CHECK(mqttp2p::Bytes(bytes).data() == bytes.data() && mqttp2p::Bytes(bytes).size() == 3);
    CHECK(mqttp2p::Bytes(array).text() == "xyz");
    CHECK(mqttp2p::Bytes().empty() && mqttp2p::Bytes(std::string_view{}).empty());
    std::size_t sum = 0;
    for (std::uint8_t byte : mqttp2p::Bytes(bytes))
        sum += byte;
    CHECK(sum == 6);
}

static void a_client_moves_and_what_it_was_moved_from_answers()
{
    mqttp2p::Client none;
    CHECK(none.publish("t", "x", mqttp2p::QoS::at_most_once).code() == MQTTP2P_E_NULL);
    mqttp2p::Client first;
    CHECK(first.make(mqttp2p::config()));
    mqttp2p::Ticket ticket = 0;
    CHECK(first.publish("t", "x", mqttp2p::QoS::at_least_once, &ticket) && ticket != 0);
    mqttp2p::Client second = std::move(first);
    CHECK(first.client() == nullptr && second.client() != nullptr);
    first = std::move(second);
    CHECK(first.client() != nullptr && !first.is_connected() && first.is_idle());
    /* Made again, it is another one. */
    CHECK(first.make(mqttp2p::config_aliyun()));
    CHECK(first.publish_retained("t", "x", mqttp2p::QoS::at_most_once).code() == MQTTP2P_E_RETAIN);
    CHECK(!first.publish("a/+", "x", mqttp2p::QoS::at_most_once).message().empty());
}

static void a_client_without_a_transport_is_driven_by_its_owner()
{
    mqttp2p::Client client;
    CHECK(client.make(mqttp2p::config()));
    CHECK(client.connect(0));
    CHECK(client.subscribe("t", mqttp2p::QoS::exactly_once));
    mqttp2p::Action action;
    mqttp2p::Bytes received;
    CHECK(client.poll(0, received, action) && action.type == MQTTP2P_ACTION_OPEN_TRANSPORT);
    auto login = mqttp2p::login();
    login.client_id = mqttp2p::Bytes("me");
    CHECK(client.transport_opened(0, login));
    CHECK(client.poll(0, received, action) && action.type == MQTTP2P_ACTION_TRANSMIT);
    CHECK(action.bytes().text() == std::string_view("\x10\x0e\0\4MQTT\4\0\0\x3c\0\2me", 16));
    CHECK(!client.transmitted(action.bytes().size()).is_error());
    CHECK(client.poll(0, received, action).code() == MQTTP2P_WAIT);
    received = mqttp2p::Bytes(std::string_view("\x20\2\0\0\x30\4\0\1tx", 10));
    CHECK(client.poll(0, received, action) && action.type == MQTTP2P_EVENT_CONNECTED && received.size() == 6);
    CHECK(client.poll(0, received, action) && action.type == MQTTP2P_EVENT_MESSAGE && received.empty());
    CHECK(action.topic_text() == "t" && action.text() == "x");
}

int main()
{
    views_are_made_of_text_and_of_bytes();
    a_client_moves_and_what_it_was_moved_from_answers();
    a_client_without_a_transport_is_driven_by_its_owner();
    return failed;
}
