//! The ceilings on the calls of AWS for one fulfilled request with webhooks on. A change may only lower them.

use tests::aws_bill::{BILLED_CHANNELS, Bill, Cost, bill};

/// The most calls of a request that is approved on the page, and by a tap. The checks that find nothing are a part of them.
const CALLS: [u64; 2] = [33, 33];
/// The most write units, and read units.
const UNITS: (u64, u64) = (69, 25);
/// The most calls one after another, by the beginning of a turn's name.
const CHAINS: [(&str, usize); 6] = [
    ("POST /v1/requests", 4),
    ("Deliver", 5),
    ("Check", 1),
    ("POST /", 4),
    ("Fetch", 6),
    ("Webhook", 3),
];
/// The most that a request costs at list prices: $0.0595 for 1,000.
const PRICE: Cost = Cost(595_000);

fn assert_below(bill: &Bill, calls: u64) {
    let (channel, (writes, reads)) = (bill.channel, bill.units());
    assert!(bill.calls() <= calls, "{channel}: {} {:?}", bill.calls(), bill.operations());
    assert!(writes <= UNITS.0 && reads <= UNITS.1, "{channel}: {writes} {reads}");
    for (turn, most) in CHAINS {
        let chain = bill.chain(turn);
        assert!((1..=most).contains(&chain), "{channel} {turn}: {chain}");
    }
    assert!(bill.price.total() <= PRICE, "{channel}: {}", bill.price.total());
}

#[test]
fn fulfilled_request_stays_below_its_ceilings_on_aws() {
    let [on_page, by_tap] = CALLS;
    for channel in BILLED_CHANNELS {
        let bill = bill(channel);
        let calls = if bill.chain("POST /c/") > 0 { on_page } else { by_tap };
        assert_below(&bill, calls);
    }
}
