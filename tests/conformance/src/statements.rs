//! The table: one row for each statement of the standard's appendix B, in its order.

use crate::Binds::{Both, Client, Server};
use crate::Row;

/// The sections that have statements, and how many: appendix B of MQTT 3.1.1, counted from 1 in each section.
#[rustfmt::skip]
pub const APPENDIX_B: &[(&str, u8)] = &[
    ("1.5.3", 3), ("2.2.2", 2), ("2.3.1", 7), ("3.1.0", 2), ("3.1.2", 24), ("3.1.3", 11), ("3.1.4", 5), ("3.2.0", 1),
    ("3.2.2", 6), ("3.3.1", 12), ("3.3.2", 3), ("3.3.4", 1), ("3.3.5", 2), ("3.6.1", 1), ("3.8.1", 1), ("3.8.3", 4),
    ("3.8.4", 6), ("3.9.3", 2), ("3.10.1", 1), ("3.10.3", 2), ("3.10.4", 6), ("3.12.4", 1), ("3.14.1", 1),
    ("3.14.4", 3), ("4.1.0", 2), ("4.3.1", 1), ("4.3.2", 2), ("4.3.3", 2), ("4.4.0", 1), ("4.5.0", 2), ("4.6.0", 6),
    ("4.7.1", 3), ("4.7.2", 1), ("4.7.3", 4), ("4.8.0", 2), ("6.0.0", 4), ("7.0.0", 2), ("7.1.1", 1), ("7.1.2", 1),
];

/// All statements. Appendix B itself prints two of the numbers with a slip: MQTT-3.1.2.7 and MQTT-3-8.3-4.
#[rustfmt::skip]
pub const STATEMENTS: &[Row] = &[
    // ---- text ----
    Row { id: "1.5.3-1", binds: Both, says: "text is well-formed UTF-8 without surrogates; a packet with other text closes the connection", tests: &[
        "packet::malformed::text_that_is_not_utf8_or_holds_nul_is_refused_in_every_field",
        "packet::text::every_three_bytes_are_judged_as_the_standard_library_judges_them",
        "core::receiving::malformed_input_closes_with_its_fault",
    ] },
    Row { id: "1.5.3-2", binds: Both, says: "text holds no U+0000; a packet with it closes the connection", tests: &[
        "packet::malformed::text_that_is_not_utf8_or_holds_nul_is_refused_in_every_field",
        "packet::encode::nul_in_client_identifier_or_user_name_is_refused",
        "core::receiving::malformed_input_closes_with_its_fault",
    ] },
    Row { id: "1.5.3-3", binds: Both, says: "EF BB BF is U+FEFF wherever it stands, and is never stripped", tests: &[
        "packet::golden::a_zero_width_no_break_space_is_kept_wherever_it_is",
        "conformance::statements::a_byte_order_mark_in_a_topic_goes_through_both_ways",
    ] },

    // ---- the fixed header and packet identifiers ----
    Row { id: "2.2.2-1", binds: Both, says: "reserved flags have the values of table 2.2", tests: &[
        "packet::golden::the_acknowledgements_have_the_fixed_headers_of_their_figures",
        "packet::golden::pingreq_pingresp_and_disconnect_are_their_fixed_headers",
        "conformance::statements::what_a_client_sends_has_the_flags_of_table_2_2",
    ] },
    Row { id: "2.2.2-2", binds: Both, says: "invalid flags close the connection", tests: &[
        "packet::malformed::every_wrong_combination_of_flags_is_refused_for_every_type",
        "core::receiving::malformed_input_closes_with_its_fault",
    ] },
    Row { id: "2.3.1-1", binds: Both, says: "SUBSCRIBE, UNSUBSCRIBE and PUBLISH above QoS 0 have an identifier that is not 0", tests: &[
        "packet::malformed::packet_identifier_0_is_refused_wherever_there_is_one",
        "conformance::statements::identifiers_are_neither_0_nor_in_use_while_all_of_them_go_round",
    ] },
    Row { id: "2.3.1-2", binds: Client, says: "each new packet gets an identifier that is not in use", tests: &[
        "core::publishing::an_identifier_under_way_is_not_used_again_when_the_others_have_gone_round",
        "core::traps::trap_subscribe_takes_an_identifier_in_flight",
        "conformance::statements::identifiers_are_neither_0_nor_in_use_while_all_of_them_go_round",
    ] },
    Row { id: "2.3.1-3", binds: Client, says: "a packet is sent again with its identifier, which is free after the last acknowledgement", tests: &[
        "core::publishing::with_the_session_all_is_sent_again_in_order_with_dup_and_pubrel_where_pubrec_was_seen",
        "core::publishing::requests_without_an_ack_are_sent_again_whatever_the_session",
        "core::traps::trap_a_packet_identifier_is_reused_while_pubcomp_is_due",
    ] },
    Row { id: "2.3.1-4", binds: Server("how a server numbers what it sends"), says: "the same holds for a server's PUBLISH above QoS 0", tests: &[
        "core::receiving::identifiers_of_both_directions_do_not_meet",
    ] },
    Row { id: "2.3.1-5", binds: Both, says: "a PUBLISH of QoS 0 has no identifier", tests: &[
        "conformance::statements::publish_of_qos_0_has_no_identifier_and_no_dup",
        "packet::golden::a_zero_byte_payload_is_valid",
    ] },
    Row { id: "2.3.1-6", binds: Both, says: "PUBACK, PUBREC and PUBREL carry the identifier of their PUBLISH", tests: &[
        "core::receiving::the_acknowledgement_goes_out_at_the_next_poll_and_not_before",
        "core::publishing::qos_2_is_published_at_pubcomp",
        "conformance::statements::acknowledgements_have_the_bytes_of_their_message",
    ] },
    Row { id: "2.3.1-7", binds: Server("who sends SUBACK and UNSUBACK"), says: "SUBACK and UNSUBACK carry the identifier of what they answer", tests: &[
        "core::publishing::acks_that_answer_nothing_are_counted_and_never_fatal",
    ] },

    // ---- CONNECT ----
    Row { id: "3.1.0-1", binds: Client, says: "the first packet of a connection is CONNECT", tests: &[
        "core::connecting::nothing_goes_out_before_connack_but_connect",
        "conformance::statements::connect_is_the_first_packet_and_goes_out_once",
    ] },
    Row { id: "3.1.0-2", binds: Both, says: "CONNECT goes out once; a server takes a second one for a violation", tests: &[
        "conformance::statements::connect_is_the_first_packet_and_goes_out_once",
    ] },
    Row { id: "3.1.2-1", binds: Server("what a server does with another protocol name"), says: "a CONNECT with a wrong protocol name is not processed by this standard", tests: &[
        "packet::golden::connect_has_the_variable_header_of_figure_3_6",
    ] },
    Row { id: "3.1.2-2", binds: Server("who knows which levels it supports"), says: "an unsupported level is answered with return code 1", tests: &[
        "core::connecting::after_a_refused_protocol_version_an_older_one_can_be_spoken",
    ] },
    Row { id: "3.1.2-3", binds: Server("who validates CONNECT"), says: "the reserved flag of CONNECT is 0", tests: &[
        "packet::golden::each_connect_flag_has_the_bit_of_section_3_1_2_3",
    ] },
    Row { id: "3.1.2-4", binds: Both, says: "without CleanSession the session goes on, and both sides keep it while they are apart", tests: &[
        "core::publishing::with_the_session_all_is_sent_again_in_order_with_dup_and_pubrel_where_pubrec_was_seen",
        "core::keeping::after_a_crash_all_goes_on_in_its_order_with_dup",
        "interop::sessions::a_kept_session_is_there_again_and_a_clean_one_is_not",
    ] },
    Row { id: "3.1.2-5", binds: Server("what a server keeps for who is away"), says: "messages of QoS 1 and 2 for a kept session are stored while the client is away", tests: &[
        "interop::sessions::a_kept_session_gets_what_came_while_the_client_was_away",
    ] },
    Row { id: "3.1.2-6", binds: Both, says: "with CleanSession earlier state is discarded, and none of it is used in a later session", tests: &[
        "conformance::statements::nothing_of_a_clean_session_is_used_in_the_next",
        "core::connecting::a_session_that_was_to_be_clean_is_a_contradiction",
        "core::receiving::an_identifier_names_a_new_message_in_a_new_session",
    ] },
    Row { id: "3.1.2-7", binds: Server("who stores retained messages"), says: "retained messages outlive sessions", tests: &[] },
    Row { id: "3.1.2-8", binds: Server("who stores and publishes a will"), says: "a will is published when its connection ends, unless DISCONNECT came", tests: &[
        "interop::subscriptions::the_will_is_published_when_the_link_breaks",
    ] },
    Row { id: "3.1.2-9", binds: Client, says: "with the will flag the payload has will topic and will message", tests: &[
        "packet::golden::each_connect_flag_has_the_bit_of_section_3_1_2_3",
        "conformance::statements::connect_has_its_fields_in_their_order",
    ] },
    Row { id: "3.1.2-10", binds: Server("who stores a will"), says: "a will is removed once it is published or DISCONNECT came", tests: &[
        "interop::subscriptions::the_will_is_not_published_after_a_good_bye",
    ] },
    Row { id: "3.1.2-11", binds: Client, says: "without the will flag its QoS and retain bits are 0 and its fields are absent", tests: &[
        "packet::malformed::every_malformed_packet_is_refused_with_its_own_error",
        "conformance::statements::connect_without_will_and_log_in_has_neither_their_flags_nor_their_fields",
    ] },
    Row { id: "3.1.2-12", binds: Server("who publishes a will"), says: "without the will flag nothing is published when the connection ends", tests: &[] },
    Row { id: "3.1.2-13", binds: Client, says: "without the will flag, will QoS is 0", tests: &[
        "packet::malformed::every_malformed_packet_is_refused_with_its_own_error",
        "conformance::statements::connect_without_will_and_log_in_has_neither_their_flags_nor_their_fields",
    ] },
    Row { id: "3.1.2-14", binds: Client, says: "will QoS is not 3", tests: &[
        "packet::malformed::every_malformed_packet_is_refused_with_its_own_error",
        "packet::golden::each_connect_flag_has_the_bit_of_section_3_1_2_3",
    ] },
    Row { id: "3.1.2-15", binds: Client, says: "without the will flag, will retain is 0", tests: &[
        "packet::malformed::every_malformed_packet_is_refused_with_its_own_error",
        "conformance::statements::connect_without_will_and_log_in_has_neither_their_flags_nor_their_fields",
    ] },
    Row { id: "3.1.2-16", binds: Server("who publishes a will"), says: "without will retain the will is published as not retained", tests: &[] },
    Row { id: "3.1.2-17", binds: Server("who publishes a will"), says: "with will retain the will is published as retained", tests: &[] },
    Row { id: "3.1.2-18", binds: Client, says: "without its flag there is no user name", tests: &[
        "packet::golden::each_connect_flag_has_the_bit_of_section_3_1_2_3",
        "conformance::statements::connect_without_will_and_log_in_has_neither_their_flags_nor_their_fields",
    ] },
    Row { id: "3.1.2-19", binds: Client, says: "with its flag there is a user name", tests: &[
        "packet::golden::an_empty_user_name_or_password_is_not_the_same_as_none",
        "conformance::statements::connect_has_its_fields_in_their_order",
    ] },
    Row { id: "3.1.2-20", binds: Client, says: "without its flag there is no password", tests: &[
        "tokio::bad_input::a_user_name_alone_goes_without_any_password",
        "conformance::statements::connect_without_will_and_log_in_has_neither_their_flags_nor_their_fields",
    ] },
    Row { id: "3.1.2-21", binds: Client, says: "with its flag there is a password", tests: &[
        "packet::golden::an_empty_user_name_or_password_is_not_the_same_as_none",
        "conformance::statements::connect_has_its_fields_in_their_order",
    ] },
    Row { id: "3.1.2-22", binds: Client, says: "without a user name there is no password", tests: &[
        "packet::encode::a_password_without_a_user_name_is_refused",
        "core::connecting::a_login_that_can_not_be_sent_is_reported_and_not_tried_again",
    ] },
    Row { id: "3.1.2-23", binds: Client, says: "no silence is longer than the keep alive: PINGREQ goes out if nothing else does", tests: &[
        "core::keep_alive::a_ping_is_due_from_the_last_byte_sent_even_if_much_is_received",
        "core::keep_alive::a_ping_is_due_an_eighth_before_the_keep_alive",
        "core::traps::trap_nobody_pings",
    ] },
    Row { id: "3.1.2-24", binds: Server("who disconnects a silent client"), says: "after one and a half times the keep alive a silent client is disconnected", tests: &[] },
    Row { id: "3.1.3-1", binds: Client, says: "the order is client identifier, will topic, will message, user name, password", tests: &[
        "conformance::statements::connect_has_its_fields_in_their_order",
        "packet::golden::connect_of_mqtt_3_1_says_mqisdp_and_level_3",
    ] },
    Row { id: "3.1.3-2", binds: Both, says: "the client identifier names the session and its state", tests: &[
        "tokio::session_store::a_session_of_another_client_id_is_refused",
        "core::connecting::connect_carries_what_login_and_configuration_say",
    ] },
    Row { id: "3.1.3-3", binds: Client, says: "the client identifier is there, and first", tests: &[
        "packet::golden::connect_may_have_an_empty_client_identifier",
        "packet::malformed::every_malformed_packet_is_refused_with_its_own_error",
    ] },
    Row { id: "3.1.3-4", binds: Client, says: "the client identifier is text", tests: &[
        "packet::encode::nul_in_client_identifier_or_user_name_is_refused",
        "packet::malformed::text_that_is_not_utf8_or_holds_nul_is_refused_in_every_field",
    ] },
    Row { id: "3.1.3-5", binds: Server("which identifiers a server takes"), says: "1 to 23 letters and digits are allowed", tests: &[] },
    Row { id: "3.1.3-6", binds: Server("who assigns an identifier"), says: "an empty identifier, where it is allowed, is replaced by a unique one", tests: &[
        "packet::golden::connect_may_have_an_empty_client_identifier",
    ] },
    Row { id: "3.1.3-7", binds: Client, says: "an empty client identifier needs CleanSession", tests: &[
        "packet::encode::an_empty_client_identifier_is_refused_for_a_session_that_is_to_be_kept",
        "core::connecting::a_login_that_can_not_be_sent_is_reported_and_not_tried_again",
    ] },
    Row { id: "3.1.3-8", binds: Server("who answers CONNECT"), says: "an empty identifier without CleanSession is refused with return code 2", tests: &[
        "packet::properties::what_is_read_is_written_with_the_same_bytes",
        "core::connecting::a_refusal_that_would_come_again_is_not_retried",
    ] },
    Row { id: "3.1.3-9", binds: Server("who answers CONNECT"), says: "an identifier that is not taken is refused with return code 2", tests: &[
        "core::connecting::a_refusal_that_would_come_again_is_not_retried",
    ] },
    Row { id: "3.1.3-10", binds: Client, says: "the will topic is text", tests: &[
        "packet::malformed::text_that_is_not_utf8_or_holds_nul_is_refused_in_every_field",
        "packet::encode::topics_are_refused_with_the_reason",
    ] },
    Row { id: "3.1.3-11", binds: Client, says: "the user name is text", tests: &[
        "packet::encode::nul_in_client_identifier_or_user_name_is_refused",
        "packet::malformed::text_that_is_not_utf8_or_holds_nul_is_refused_in_every_field",
    ] },
    Row { id: "3.1.4-1", binds: Server("who validates CONNECT"), says: "a CONNECT that does not conform closes the connection without CONNACK", tests: &[
        "tokio::bad_input::a_server_that_closes_at_any_step_of_the_handshake_is_reported_as_closing",
    ] },
    Row { id: "3.1.4-2", binds: Server("who knows both connections"), says: "a second connection of one client identifier takes over from the first", tests: &[
        "interop::sessions::a_second_client_of_the_same_id_takes_over",
        "core::connecting::three_short_lives_in_a_row_look_like_a_takeover_and_are_backed_off_long",
    ] },
    Row { id: "3.1.4-3", binds: Server("who processes CONNECT"), says: "CleanSession is processed", tests: &[] },
    Row { id: "3.1.4-4", binds: Server("who answers CONNECT"), says: "an accepted CONNECT is answered with return code 0", tests: &[
        "core::connecting::connected_is_reported_with_the_word_on_the_session",
    ] },
    Row { id: "3.1.4-5", binds: Server("who processes what follows"), says: "after a refusal nothing more of the client is processed", tests: &[] },

    // ---- CONNACK ----
    Row { id: "3.2.0-1", binds: Server("who sends CONNACK"), says: "the first packet of a server is CONNACK", tests: &[
        "core::connecting::a_packet_other_than_connack_before_it_closes",
    ] },
    Row { id: "3.2.2-1", binds: Server("who knows the session"), says: "with CleanSession, session present is 0", tests: &[
        "core::connecting::a_session_that_was_to_be_clean_is_a_contradiction",
    ] },
    Row { id: "3.2.2-2", binds: Server("who knows the session"), says: "without CleanSession, session present says whether there is a stored session", tests: &[
        "packet::golden::connack_of_mosquitto_with_a_session_says_session_present",
    ] },
    Row { id: "3.2.2-3", binds: Server("who knows the session"), says: "without a stored session, session present is 0", tests: &[
        "core::connecting::connected_is_reported_with_the_word_on_the_session",
    ] },
    Row { id: "3.2.2-4", binds: Server("who sends CONNACK"), says: "in a refusal, session present is 0", tests: &[
        "packet::encode::connack_refuses_what_table_3_1_has_no_code_for",
        "core::connecting::a_malformed_connack_closes_with_its_fault",
    ] },
    Row { id: "3.2.2-5", binds: Server("who closes after a refusal; the client does so as well"), says: "after a refusal the connection is closed", tests: &[
        "core::connecting::a_refusal_that_would_come_again_is_not_retried",
    ] },
    Row { id: "3.2.2-6", binds: Server("who refuses"), says: "where no return code fits, the connection is closed without CONNACK", tests: &[
        "tokio::bad_input::a_server_that_closes_at_any_step_of_the_handshake_is_reported_as_closing",
    ] },

    // ---- PUBLISH ----
    Row { id: "3.3.1-1", binds: Both, says: "what is sent again has DUP", tests: &[
        "core::traps::trap_dup_is_never_set_when_a_message_is_sent_again",
        "core::publishing::dup_is_set_only_on_what_went_out_at_least_in_part",
    ] },
    Row { id: "3.3.1-2", binds: Both, says: "QoS 0 has no DUP", tests: &[
        "packet::encode::dup_is_left_out_of_qos_0",
        "packet::traps::trap_dup_is_set_on_what_may_not_have_it",
        "conformance::statements::publish_of_qos_0_has_no_identifier_and_no_dup",
    ] },
    Row { id: "3.3.1-3", binds: Server("who passes messages on"), says: "DUP is not passed on", tests: &[
        "core::traps::trap_dup_is_used_to_tell_duplicates",
    ] },
    Row { id: "3.3.1-4", binds: Both, says: "QoS 3 closes the connection", tests: &[
        "packet::malformed::every_malformed_packet_is_refused_with_its_own_error",
        "core::receiving::malformed_input_closes_with_its_fault",
    ] },
    Row { id: "3.3.1-5", binds: Server("who stores retained messages"), says: "a message with RETAIN is stored", tests: &[
        "core::publishing::retain_is_carried_unless_the_service_knows_none",
    ] },
    Row { id: "3.3.1-6", binds: Server("who stores retained messages"), says: "a new subscription gets the retained messages that match", tests: &[
        "interop::subscriptions::a_retained_message_waits_for_subscribers_until_it_is_cleared",
    ] },
    Row { id: "3.3.1-7", binds: Server("who stores retained messages"), says: "a retained message of QoS 0 replaces the one before, or ends it", tests: &[] },
    Row { id: "3.3.1-8", binds: Server("who sends retained messages"), says: "RETAIN is 1 on what a new subscription brings", tests: &[
        "core::receiving::a_message_is_delivered_with_all_that_it_says",
    ] },
    Row { id: "3.3.1-9", binds: Server("who passes messages on"), says: "RETAIN is 0 on what an established subscription brings", tests: &[
        "core::receiving::a_message_is_delivered_with_all_that_it_says",
    ] },
    Row { id: "3.3.1-10", binds: Server("who stores retained messages"), says: "an empty message with RETAIN removes the retained one", tests: &[
        "interop::subscriptions::a_retained_message_waits_for_subscribers_until_it_is_cleared",
    ] },
    Row { id: "3.3.1-11", binds: Server("who stores retained messages"), says: "an empty message is not stored", tests: &[] },
    Row { id: "3.3.1-12", binds: Server("who stores retained messages"), says: "a message without RETAIN changes nothing stored", tests: &[] },
    Row { id: "3.3.2-1", binds: Both, says: "the topic name is the first field, and text", tests: &[
        "packet::golden::publish_has_the_variable_header_of_figure_3_11",
        "packet::malformed::text_that_is_not_utf8_or_holds_nul_is_refused_in_every_field",
    ] },
    Row { id: "3.3.2-2", binds: Both, says: "the topic name has no wildcards", tests: &[
        "packet::encode::topics_are_refused_with_the_reason",
        "core::receiving::malformed_input_closes_with_its_fault",
    ] },
    Row { id: "3.3.2-3", binds: Server("who passes messages on"), says: "the topic name matches the subscription", tests: &[] },
    Row { id: "3.3.4-1", binds: Both, says: "a PUBLISH is answered by its QoS: nothing, PUBACK, PUBREC", tests: &[
        "core::receiving::qos_0_is_not_acknowledged",
        "core::receiving::the_acknowledgement_goes_out_at_the_next_poll_and_not_before",
        "conformance::statements::acknowledgements_have_the_bytes_of_their_message",
    ] },
    Row { id: "3.3.5-1", binds: Server("who delivers"), says: "overlapping subscriptions deliver with their highest QoS", tests: &[] },
    Row { id: "3.3.5-2", binds: Server("who authorises"), says: "a PUBLISH without permission is acknowledged all the same, or the connection is closed", tests: &[
        "tokio::tokens::a_close_after_the_first_use_of_a_parent_topic_is_suspected_to_be_about_it",
    ] },
    Row { id: "3.6.1-1", binds: Both, says: "PUBREL has the flags 0010; others close the connection", tests: &[
        "packet::golden::the_acknowledgements_have_the_fixed_headers_of_their_figures",
        "core::receiving::malformed_input_closes_with_its_fault",
        "conformance::statements::what_a_client_sends_has_the_flags_of_table_2_2",
    ] },

    // ---- subscriptions ----
    Row { id: "3.8.1-1", binds: Both, says: "SUBSCRIBE has the flags 0010; others close the connection", tests: &[
        "packet::golden::subscribe_has_the_payload_of_the_example_of_3_8_3",
        "packet::malformed::every_wrong_combination_of_flags_is_refused_for_every_type",
        "conformance::statements::what_a_client_sends_has_the_flags_of_table_2_2",
    ] },
    Row { id: "3.8.3-1", binds: Client, says: "topic filters of SUBSCRIBE are text", tests: &[
        "packet::malformed::text_that_is_not_utf8_or_holds_nul_is_refused_in_every_field",
        "packet::encode::topics_are_refused_with_the_reason",
    ] },
    Row { id: "3.8.3-2", binds: Server("who may not support wildcards"), says: "a server without wildcards refuses filters that have them", tests: &[
        "core::subscribing::a_refused_subscription_is_reported_and_not_kept",
    ] },
    Row { id: "3.8.3-3", binds: Both, says: "SUBSCRIBE has at least one topic filter", tests: &[
        "packet::encode::subscribe_and_unsubscribe_without_a_topic_filter_are_refused",
        "core::subscribing::an_empty_list_is_invalid",
    ] },
    Row { id: "3.8.3-4", binds: Both, says: "the byte of the QoS is 0, 1 or 2", tests: &[
        "packet::malformed::every_malformed_packet_is_refused_with_its_own_error",
        "packet::golden::subscribe_has_the_payload_of_the_example_of_3_8_3",
    ] },
    Row { id: "3.8.4-1", binds: Server("who answers SUBSCRIBE"), says: "SUBSCRIBE is answered with SUBACK", tests: &[
        "core::subscribing::a_subscription_is_asked_for_answered_and_kept",
    ] },
    Row { id: "3.8.4-2", binds: Server("who answers SUBSCRIBE"), says: "SUBACK has the identifier of its SUBSCRIBE", tests: &[
        "core::publishing::acks_that_answer_nothing_are_counted_and_never_fatal",
    ] },
    Row { id: "3.8.4-3", binds: Server("who holds subscriptions; the client's own list does the same"), says: "the same filter replaces the subscription", tests: &[
        "core::subscribing::the_same_filter_takes_the_place_of_the_old_one",
    ] },
    Row { id: "3.8.4-4", binds: Server("who processes SUBSCRIBE"), says: "several filters are several subscriptions with one answer", tests: &[
        "core::subscribing::a_subscription_is_asked_for_answered_and_kept",
    ] },
    Row { id: "3.8.4-5", binds: Server("who answers SUBSCRIBE"), says: "SUBACK has a return code for each filter", tests: &[
        "core::subscribing::a_suback_with_the_wrong_number_of_answers_closes_and_the_request_lives_on",
    ] },
    Row { id: "3.8.4-6", binds: Server("who grants and delivers"), says: "a lower QoS may be granted, and delivery keeps to it", tests: &[] },
    Row { id: "3.9.3-1", binds: Server("who sends SUBACK; the client reads them in this order"), says: "return codes are in the order of the filters", tests: &[
        "core::subscribing::a_refused_subscription_is_reported_and_not_kept",
        "packet::golden::suback_has_the_payload_of_the_example_of_3_9_3",
    ] },
    Row { id: "3.9.3-2", binds: Server("who sends SUBACK; the client refuses others"), says: "return codes are 0, 1, 2 and 128", tests: &[
        "packet::encode::only_the_return_codes_of_suback_make_a_list",
        "core::receiving::malformed_input_closes_with_its_fault",
    ] },
    Row { id: "3.10.1-1", binds: Both, says: "UNSUBSCRIBE has the flags 0010; others close the connection", tests: &[
        "packet::golden::unsubscribe_has_the_payload_of_the_example_of_3_10_3",
        "packet::malformed::every_wrong_combination_of_flags_is_refused_for_every_type",
        "conformance::statements::what_a_client_sends_has_the_flags_of_table_2_2",
    ] },
    Row { id: "3.10.3-1", binds: Client, says: "topic filters of UNSUBSCRIBE are text, one behind the other", tests: &[
        "packet::golden::unsubscribe_has_the_payload_of_the_example_of_3_10_3",
        "packet::malformed::text_that_is_not_utf8_or_holds_nul_is_refused_in_every_field",
    ] },
    Row { id: "3.10.3-2", binds: Both, says: "UNSUBSCRIBE has at least one topic filter", tests: &[
        "packet::encode::subscribe_and_unsubscribe_without_a_topic_filter_are_refused",
        "core::subscribing::an_empty_list_is_invalid",
    ] },
    Row { id: "3.10.4-1", binds: Server("who holds subscriptions; the client's own list does the same"), says: "filters are compared character by character", tests: &[
        "core::subscribing::an_unsubscription_is_asked_for_answered_and_no_longer_kept",
    ] },
    Row { id: "3.10.4-2", binds: Server("who delivers"), says: "after an unsubscription no new messages come", tests: &[
        "interop::subscriptions::after_unsubscribe_nothing_comes",
    ] },
    Row { id: "3.10.4-3", binds: Server("who delivers"), says: "what is under way is brought to its end after an unsubscription", tests: &[] },
    Row { id: "3.10.4-4", binds: Server("who answers UNSUBSCRIBE"), says: "UNSUBACK has the identifier of its UNSUBSCRIBE", tests: &[
        "core::subscribing::an_unsubscription_is_asked_for_answered_and_no_longer_kept",
    ] },
    Row { id: "3.10.4-5", binds: Server("who answers UNSUBSCRIBE"), says: "UNSUBACK comes even if no subscription was there", tests: &[] },
    Row { id: "3.10.4-6", binds: Server("who processes UNSUBSCRIBE"), says: "several filters are several unsubscriptions with one answer", tests: &[] },

    // ---- PINGREQ and DISCONNECT ----
    Row { id: "3.12.4-1", binds: Server("who answers PINGREQ; the client notices if it does not"), says: "PINGREQ is answered with PINGRESP", tests: &[
        "core::keep_alive::an_answer_that_does_not_come_in_its_time_closes",
    ] },
    Row { id: "3.14.1-1", binds: Server("who validates DISCONNECT"), says: "the reserved bits of DISCONNECT are 0", tests: &[
        "packet::golden::pingreq_pingresp_and_disconnect_are_their_fixed_headers",
        "conformance::statements::what_a_client_sends_has_the_flags_of_table_2_2",
    ] },
    Row { id: "3.14.4-1", binds: Client, says: "after DISCONNECT the client closes the connection", tests: &[
        "core::connecting::disconnect_sends_what_may_be_sent_then_disconnect_then_closes",
        "conformance::statements::nothing_follows_disconnect_and_the_connection_is_closed",
    ] },
    Row { id: "3.14.4-2", binds: Client, says: "after DISCONNECT the client sends nothing more", tests: &[
        "conformance::statements::nothing_follows_disconnect_and_the_connection_is_closed",
    ] },
    Row { id: "3.14.4-3", binds: Server("who stores a will"), says: "DISCONNECT discards the will", tests: &[
        "interop::subscriptions::the_will_is_not_published_after_a_good_bye",
    ] },

    // ---- state and quality of service ----
    Row { id: "4.1.0-1", binds: Both, says: "session state is stored for the whole session", tests: &[
        "core::session_model::the_session_keeps_its_promises_under_any_faults",
        "core::keeping::after_a_crash_a_message_of_qos_2_that_was_taken_is_not_delivered_again",
    ] },
    Row { id: "4.1.0-2", binds: Both, says: "a session lasts at least as long as its connection", tests: &[
        "core::session_model::the_session_keeps_its_promises_under_any_faults",
    ] },
    Row { id: "4.3.1-1", binds: Both, says: "QoS 0: the sender sends PUBLISH with QoS 0 and no DUP", tests: &[
        "conformance::statements::publish_of_qos_0_has_no_identifier_and_no_dup",
        "core::publishing::qos_0_that_was_handed_over_is_never_sent_again",
    ] },
    Row { id: "4.3.2-1", binds: Both, says: "QoS 1: the sender takes an unused identifier, sends without DUP, and keeps the message until PUBACK", tests: &[
        "core::publishing::qos_1_is_published_at_puback",
        "core::publishing::with_the_session_all_is_sent_again_in_order_with_dup_and_pubrel_where_pubrec_was_seen",
        "conformance::statements::a_first_publish_has_no_dup_and_an_identifier_of_its_own",
    ] },
    Row { id: "4.3.2-2", binds: Both, says: "QoS 1: the receiver answers PUBACK with the identifier, and takes later messages with it for new ones", tests: &[
        "conformance::statements::after_puback_an_identifier_names_a_new_message_whatever_dup_says",
        "core::receiving::the_acknowledgement_goes_out_at_the_next_poll_and_not_before",
    ] },
    Row { id: "4.3.3-1", binds: Both, says: "QoS 2: the sender keeps the message until PUBREC, then PUBREL until PUBCOMP, and never sends PUBLISH after PUBREL", tests: &[
        "core::publishing::qos_2_is_published_at_pubcomp",
        "core::publishing::with_the_session_all_is_sent_again_in_order_with_dup_and_pubrel_where_pubrec_was_seen",
        "conformance::statements::publish_is_never_sent_after_its_pubrel",
    ] },
    Row { id: "4.3.3-2", binds: Both, says: "QoS 2: the receiver answers PUBREC, delivers once until PUBREL, answers PUBCOMP, and then takes the identifier for a new message", tests: &[
        "core::receiving::qos_2_that_comes_again_is_answered_and_not_delivered_with_dup_or_without",
        "core::receiving::an_identifier_names_a_new_message_after_pubrel",
        "core::receiving::pubrel_is_always_answered",
    ] },
    Row { id: "4.4.0-1", binds: Both, says: "a continued session sends unacknowledged PUBLISH and PUBREL again with their identifiers", tests: &[
        "core::publishing::with_the_session_all_is_sent_again_in_order_with_dup_and_pubrel_where_pubrec_was_seen",
        "core::publishing::a_second_loss_in_the_middle_of_sending_again_loses_nothing",
    ] },
    Row { id: "4.5.0-1", binds: Server("who takes ownership for subscribers"), says: "a message is added to the sessions of its subscribers", tests: &[] },
    Row { id: "4.5.0-2", binds: Client, says: "a PUBLISH is acknowledged whether the application wants the message or not", tests: &[
        "tokio::backpressure::messages_without_a_stream_are_counted_and_hold_up_nothing",
        "core::receiving::the_acknowledgement_goes_out_at_the_next_poll_and_not_before",
    ] },
    Row { id: "4.6.0-1", binds: Client, says: "PUBLISH packets are sent again in their first order", tests: &[
        "core::publishing::with_the_session_all_is_sent_again_in_order_with_dup_and_pubrel_where_pubrec_was_seen",
        "core::keeping::after_a_crash_all_goes_on_in_its_order_with_dup",
    ] },
    Row { id: "4.6.0-2", binds: Client, says: "PUBACK packets go out in the order of their PUBLISH (with manual acknowledgement it is the caller's)", tests: &[
        "conformance::statements::acknowledgements_go_out_in_the_order_of_their_messages",
    ] },
    Row { id: "4.6.0-3", binds: Client, says: "PUBREC packets go out in the order of their PUBLISH (with manual acknowledgement it is the caller's)", tests: &[
        "conformance::statements::acknowledgements_go_out_in_the_order_of_their_messages",
    ] },
    Row { id: "4.6.0-4", binds: Client, says: "PUBREL packets go out in the order of their PUBREC", tests: &[
        "conformance::statements::pubrel_packets_go_out_in_the_order_of_pubrec",
    ] },
    Row { id: "4.6.0-5", binds: Server("who orders topics"), says: "topics are ordered unless configured otherwise", tests: &[] },
    Row { id: "4.6.0-6", binds: Server("who delivers"), says: "an ordered topic is delivered in its order", tests: &[] },

    // ---- topics ----
    Row { id: "4.7.1-1", binds: Both, says: "wildcards are in filters only", tests: &[
        "packet::topic_matching::any_text_is_a_topic_name_or_filter_as_the_standard_says",
        "packet::encode::topics_are_refused_with_the_reason",
    ] },
    Row { id: "4.7.1-2", binds: Both, says: "# is alone in the last level", tests: &[
        "packet::topic_matching::a_number_sign_stands_alone_in_the_last_level",
    ] },
    Row { id: "4.7.1-3", binds: Both, says: "+ is alone in its level", tests: &[
        "packet::topic_matching::a_plus_sign_stands_alone_in_its_level",
    ] },
    Row { id: "4.7.2-1", binds: Server("who matches; the client's streams match alike"), says: "a first wildcard does not match a topic that begins with $", tests: &[
        "packet::topic_matching::a_wildcard_in_the_first_level_covers_no_topic_that_begins_with_a_dollar_sign",
    ] },
    Row { id: "4.7.3-1", binds: Both, says: "topics have at least one character", tests: &[
        "packet::encode::topics_are_refused_with_the_reason",
        "packet::topic_matching::any_text_is_a_topic_name_or_filter_as_the_standard_says",
    ] },
    Row { id: "4.7.3-2", binds: Both, says: "topics hold no U+0000", tests: &[
        "packet::encode::topics_are_refused_with_the_reason",
        "packet::topic_matching::any_text_is_a_topic_name_or_filter_as_the_standard_says",
    ] },
    Row { id: "4.7.3-3", binds: Both, says: "topics have at most 65,535 bytes", tests: &[
        "packet::encode::topics_are_refused_with_the_reason",
    ] },
    Row { id: "4.7.3-4", binds: Server("who matches; the client's streams match alike"), says: "topics are compared without normalisation", tests: &[
        "packet::topic_matching::topics_are_case_sensitive_and_compared_character_by_character",
    ] },

    // ---- violations ----
    Row { id: "4.8.0-1", binds: Both, says: "a protocol violation closes its connection", tests: &[
        "core::receiving::malformed_input_closes_with_its_fault",
        "core::connecting::a_second_connack_closes_and_so_does_what_only_a_client_may_send",
        "tokio::malicious::every_misdeed_ends_in_its_reason_and_the_next_connection_works",
    ] },
    Row { id: "4.8.0-2", binds: Both, says: "a transient error while a packet is processed closes its connection", tests: &[
        "core::receiving::more_messages_of_qos_2_than_there_is_room_for_close_and_none_is_lost",
    ] },

    // ---- WebSocket ----
    Row { id: "6.0.0-1", binds: Both, says: "packets go in binary frames; other data closes the connection", tests: &[
        "websocket::sending::every_packet_is_one_message_whatever_the_room",
        "websocket::receiving::what_the_standard_forbids_ends_the_connection_behind_the_good_bytes",
        "tokio::malicious::every_misdeed_ends_in_its_reason_and_the_next_connection_works",
    ] },
    Row { id: "6.0.0-2", binds: Both, says: "packets may lie anyhow in frames", tests: &[
        "websocket::receiving::mqtt_bytes_stay_in_one_piece_behind_those_that_were_left",
        "tokio::malicious::packets_may_lie_anyhow_in_frames_and_segments",
    ] },
    Row { id: "6.0.0-3", binds: Client, says: "the client offers the subprotocol mqtt", tests: &[
        "websocket::handshake::the_request_has_what_the_standard_asks_for",
        "tokio::transports::over_websocket_the_older_edition_has_its_own_subprotocol",
    ] },
    Row { id: "6.0.0-4", binds: Server("who selects the subprotocol; the client takes no other"), says: "the server selects the subprotocol mqtt", tests: &[
        "tokio::bad_input::an_upgrade_without_the_subprotocol_is_refused",
        "websocket::handshake::every_other_answer_is_refused_with_its_reason",
    ] },

    // ---- conformance ----
    Row { id: "7.0.0-1", binds: Server("who connects to other servers"), says: "a server that is a client as well conforms as both", tests: &[] },
    Row { id: "7.0.0-2", binds: Both, says: "no extension is needed to work with another implementation", tests: &[
        "interop::messages::every_qos_goes_both_ways_between_tcp_and_ws",
        "interop::messages::what_mosquitto_pub_publishes_arrives_at_every_qos",
    ] },
    Row { id: "7.1.1-1", binds: Server("what a server listens on"), says: "a server supports an ordered, lossless, two-way stream of bytes", tests: &[] },
    Row { id: "7.1.2-1", binds: Client, says: "a client supports an ordered, lossless, two-way stream of bytes", tests: &[
        "interop::transports::a_hundred_messages_of_each_qos_go_there_and_back_over_every_transport",
        "tokio::transports::a_stream_of_the_callers_is_asked_for_at_each_attempt_and_carries_every_transport",
    ] },
];
