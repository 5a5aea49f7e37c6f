//! Writes the table as a page.

fn main() {
    print!("{}", mqtt_p2p_conformance::page());
}
