//! Each story, with one fault at each use of a port in turn, and under drawn faults.

use tests::sim::{Fault, STORIES, Story, run_story_under_faults};

use super::told;

/// How many seeds draw faults for each story.
const SEEDS: u64 = 2;

/// Tells the story once in peace and once with each single fault.
fn ends_the_same_with_each_fault(story: &Story) {
    let verbs = story.verbs();
    let told_in_peace = told(&verbs, Fault::None);
    let peaceful = &told_in_peace.ending;
    assert_eq!(peaceful.state, story.end, "{peaceful:?}");
    assert_eq!(peaceful.refunds, story.refunds, "{peaceful:?}");
    if let Some(charges) = story.charges {
        assert_eq!(peaceful.charges, charges, "{peaceful:?}");
    }
    for fault in told_in_peace.faults() {
        let end = told(&verbs, fault).ending;
        let same = match story.charges {
            Some(_) => end == *peaceful,
            None => end.state == peaceful.state,
        };
        let unasked = end.state == story.otherwise && end.charges == 0;
        assert!(same || unasked, "{fault:?}: {end:?}, not {peaceful:?}");
    }
}

/// Defines one test for each story, and one that no story is missing.
macro_rules! stories {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            let story = STORIES.iter().find(|story| story.name == stringify!($name));
            ends_the_same_with_each_fault(story.unwrap());
        })*

        #[test]
        fn each_story_has_a_test() {
            let names: Vec<&str> = STORIES.iter().map(|story| story.name).collect();
            assert_eq!(names, [$(stringify!($name)),*]);
        }
    };
}

stories! {
    payment_by_tap_fulfilled
    payment_on_page_of_text_fulfilled
    payment_processing_for_a_while_fulfilled
    second_card_after_decline_fulfilled
    stolen_card_declined_for_good
    next_route_after_silent_one_fulfilled
    request_without_route_undeliverable
    customer_says_no_denied
    customer_says_not_me_denied
    wrong_code_denied
    opt_out_by_text_denied
    right_code_in_chat_fulfilled
    page_behind_template_fulfilled
    chat_or_next_route_fulfilled
    wrong_code_in_chat_denied
    not_me_on_template_denied
    no_beside_numbers_denied
    opt_out_in_chat_denied
    cancel_after_resend_cancelled
    deadline_passes_expired
    payment_on_hosted_page_fulfilled
    hosted_payment_reported_by_webhook_fulfilled
    customer_abandons_hosted_page_pays_here
    cancel_while_on_hosted_page_cancelled
    deadline_on_hosted_page_failed
    card_with_3d_secure_fulfilled
    failed_3d_secure_then_other_card_fulfilled
    card_saved
    payment_by_saved_card_fulfilled
    card_saved_on_hosted_page
    card_with_3d_secure_saved
    claims_released
    claims_refused_denied
    whole_refund_done
    slow_refund_reported_by_webhook_done
    second_refund_after_failed_one_done
    refund_in_parts_done
}

#[test]
fn stories_under_drawn_faults_break_nothing() {
    for (story, first) in STORIES.iter().zip((0_u64..).step_by(1_000)) {
        for seed in first..first + SEEDS {
            let ending = run_story_under_faults(&story.verbs(), seed);
            ending.unwrap_or_else(|failure| panic!("{}: {failure}", story.name));
        }
    }
}
