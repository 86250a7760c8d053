//! The ceilings on the calls of AWS for one fulfilled request, on the page, with webhooks on. A change may only lower them.

use tests::aws_bill::{BILLED_CHANNELS, Cost, bill};

/// The most calls of AWS, of which those of checks that find nothing are a part.
const CALLS: u64 = 46;
/// The most write units, and read units.
const UNITS: (u64, u64) = (163, 40);
/// The most calls one after another, by the beginning of a turn's name.
const CHAINS: [(&str, usize); 7] = [
    ("POST /v1/requests", 7),
    ("Deliver", 6),
    ("Check", 2),
    ("GET /c/", 4),
    ("POST /c/", 6),
    ("Fetch", 7),
    ("Webhook", 3),
];
/// The most that a request costs at list prices: $0.13 for 1,000.
const PRICE: Cost = Cost(1_300_000);

#[test]
fn fulfilled_request_stays_below_its_ceilings_on_aws() {
    for channel in BILLED_CHANNELS {
        let bill = bill(channel);
        let (writes, reads) = bill.units();
        assert!(bill.calls() <= CALLS, "{channel}: {} {:?}", bill.calls(), bill.operations());
        assert!(writes <= UNITS.0 && reads <= UNITS.1, "{channel}: {writes} {reads}");
        for (turn, most) in CHAINS {
            let chain = bill.chain(turn);
            assert!((1..=most).contains(&chain), "{channel} {turn}: {chain}");
        }
        assert!(bill.price.total() <= PRICE, "{channel}: {}", bill.price.total());
    }
}
