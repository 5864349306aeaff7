//! The life of a recording under every order of deeds.

use proptest::prelude::*;

use super::*;

fn asked() -> Recording {
    Recording {
        id: 1,
        machine: "10.1.2.3".to_owned(),
        seconds: 60,
        most_octets: 1 << 20,
        state: State::Asked,
        asked: Said { by: Some("Li".into()), at: Timestamp::from_secs(1000), words: "why".to_owned() },
        answered: None,
        started: None,
        ended: None,
        counts: None,
        sha256: None,
        fault: None,
        hold: None,
        deleted: None,
    }
}

fn deeds() -> impl Strategy<Value = Deed> {
    let words = prop_oneof![Just(String::new()), Just("  ".to_owned()), Just("because".to_owned()), Just("x".repeat(401))];
    let fault = Fault { why: Why::Crash, detail: String::new() };
    prop_oneof![
        Just(Deed::Approve),
        words.clone().prop_map(Deed::Refuse),
        Just(Deed::Withdraw),
        Just(Deed::Lapse),
        Just(Deed::Start),
        Just(Deed::End(Counts::default(), "00".to_owned())),
        Just(Deed::Cut(fault.clone(), Counts::default(), "00".to_owned())),
        Just(Deed::Fail(fault)),
        Just(Deed::Download),
        words.clone().prop_map(Deed::Hold),
        Just(Deed::Release),
        words.prop_map(Deed::Delete),
        Just(Deed::Sweep),
    ]
}

fn people() -> impl Strategy<Value = Option<Arc<str>>> {
    prop_oneof![Just(None), Just(Some("Li".into())), Just(Some("Wang".into()))]
}

proptest! {
    /// Whatever is tried by whom in whatever order: nothing is recorded without the second person, and no file leaves but as
    /// it should.
    #[test]
    fn nothing_is_recorded_or_deleted_but_by_the_rules(
        two in any::<bool>(),
        steps in prop::collection::vec((deeds(), people(), 0_u64..40 * 86_400), 1..40),
    ) {
        let approval = if two { Approval::Two } else { Approval::One };
        let (mut now, mut recording) = (asked().asked.at, asked());
        for (deed, by, later) in steps {
            now = now + Duration::from_secs(later);
            let before = recording.clone();
            let Ok(next) = after(&before, &deed, by.as_ref(), approval, now) else { continue };
            prop_assert!(deed.is_own() || by.is_some(), "{deed:?} by nobody");
            prop_assert_eq!(&next.asked, &before.asked);
            if next.state == State::Running {
                let allowed = next.answered.as_ref().and_then(|said| said.by.clone());
                prop_assert!(allowed.is_some() && (!two || allowed != next.asked.by), "{:?}", next);
            }
            if next.state == State::Deleted {
                prop_assert!(before.state.has_file() && before.hold.is_none());
                let over = before.ended.is_some_and(|ended| now >= ended + KEPT_FOR);
                prop_assert!(over || next.deleted.as_ref().is_some_and(|said| said.by.is_some() && !said.words.is_empty()));
            }
            if next.state.has_file() {
                prop_assert!(next.sha256.is_some() && next.counts.is_some() && next.ended.is_some() && next.started.is_some());
            }
            prop_assert!(next.hold.as_ref().is_none_or(|hold| hold.by.is_some() && !hold.words.is_empty()));
            prop_assert_eq!(next.state == State::Cut && before.state != State::Cut, matches!(deed, Deed::Cut(..)));
            let over = matches!(before.state, State::Refused | State::Withdrawn | State::Lapsed | State::Failed | State::Deleted);
            prop_assert!(!over, "{:?} is an end, and {deed:?} was done", before.state);
            recording = next;
        }
    }

    /// What is due by the time alone is always possible.
    #[test]
    fn what_is_due_can_be_done(steps in prop::collection::vec((deeds(), people(), 0_u64..40 * 86_400), 1..30)) {
        let (mut now, mut recording) = (asked().asked.at, asked());
        for (deed, by, later) in steps {
            now = now + Duration::from_secs(later);
            if let Some(due) = due(&recording, now) {
                prop_assert!(after(&recording, &due, None, Approval::Two, now).is_ok(), "{due:?} of {recording:?}");
            }
            recording = after(&recording, &deed, by.as_ref(), Approval::Two, now).unwrap_or(recording);
        }
    }
}

#[test]
fn the_usual_life_and_the_refusals_of_it() {
    let (li, wang): (Arc<str>, Arc<str>) = ("Li".into(), "Wang".into());
    let now = Timestamp::from_secs(2000);
    let one = |deed: Deed, recording: &Recording, by: &Arc<str>| after(recording, &deed, Some(by), Approval::Two, now);
    assert_eq!(one(Deed::Approve, &asked(), &li), Err(Refused::SamePerson));
    assert_eq!(one(Deed::Withdraw, &asked(), &wang), Err(Refused::OtherPerson));
    assert_eq!(one(Deed::Refuse(" ".to_owned()), &asked(), &wang), Err(Refused::NoReason));
    let approved = one(Deed::Approve, &asked(), &wang).unwrap();
    let running = one(Deed::Start, &approved, &wang).unwrap();
    assert_eq!(one(Deed::Delete("x".to_owned()), &running, &wang), Err(Refused::State));
    let kept = one(Deed::End(Counts::default(), "00".to_owned()), &running, &wang).unwrap();
    assert_eq!(kept.until(), Some(now + KEPT_FOR));
    let held = one(Deed::Hold("evidence".to_owned()), &kept, &li).unwrap();
    assert_eq!((held.until(), one(Deed::Delete("x".to_owned()), &held, &wang)), (None, Err(Refused::Held)));
    assert_eq!(due(&held, now + KEPT_FOR * 2), None);
    assert_eq!(due(&kept, now + KEPT_FOR), Some(Deed::Sweep));
    assert_eq!(due(&approved, now + PROMPT), Some(Deed::Lapse));
}
