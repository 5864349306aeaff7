#![no_main]

use netroom::model::{DeviceId, Timestamp};
use netroom::series::codec::block::{ALL, decode_port, decode_ports, decode_times};
use netroom::series::codec::cells::Cells;
use netroom::series::codec::poll::Chain;
use netroom::series::codec::wire::seal;

// The octets stand behind a right checksum and codec id, or the fuzzer would never get past them.
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut framed = vec![1];
    framed.extend_from_slice(data);
    let blob = seal(framed);
    let _ = decode_port(&blob, ALL);
    let _ = decode_port(&blob, 0b101);
    let _ = decode_times(&blob);
    let _ = decode_ports(&blob);
    let _ = Cells::decode(&blob, ALL);
    let mut chain = Chain::default();
    let _ = chain.decode(DeviceId(1), Timestamp::from_millis(0), &blob);
    let _ = chain.decode(DeviceId(1), Timestamp::from_millis(1), &blob);
});
