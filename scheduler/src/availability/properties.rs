//! What holds of slots whatever the rules, the zone and the day: around changes of the clock above all.

use super::timetable::{Besides, Exception, Rule, Timetable, is_free, merge, without};
use jiff::{
    SignedDuration, Timestamp, ToSpan as _,
    civil::{Date, Weekday, date},
    tz::TimeZone,
};
use proptest::{collection::vec, option, prelude::*};
use std::collections::BTreeSet;

/// An hour's jump twice a year, one in the other order, half an hour's, none at all, and a rule that nobody has made yet:
/// summer from April to November, by two hours.
fn zones() -> Vec<TimeZone> {
    let known = ["Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Ho_Chi_Minh", "Asia/Kathmandu"];
    let changed = TimeZone::posix("CHG0CHS-2,M4.1.0/1,M11.1.0/2").expect("a rule");
    known.iter().map(|name| TimeZone::get(name).expect("a known zone")).chain([changed]).collect()
}

/// Days around which the clocks of these zones jump, and any other.
fn days() -> impl Strategy<Value = Date> {
    let jumps = [
        date(2026, 10, 25),
        date(2027, 3, 28),
        date(2026, 11, 1),
        date(2027, 3, 14),
        date(2027, 4, 4),
        date(2026, 10, 4),
    ];
    prop_oneof![
        3 => (0..jumps.len(), -2..3_i64).prop_map(move |(jump, days)| jumps[jump].saturating_add(days.days())),
        1 => (0..700_i64).prop_map(|days| date(2026, 1, 1).saturating_add(days.days())),
    ]
}

fn zone() -> impl Strategy<Value = TimeZone> {
    (0..zones().len()).prop_map(|index| zones().swap_remove(index))
}

fn rule(zone: TimeZone) -> impl Strategy<Value = Rule> {
    let hours = (0..288_i16, 1..288_i16).prop_map(|(from, length)| (from * 5, (from + length).min(288) * 5));
    let weeks = prop_oneof![3 => Just(1_i16), 1 => 2..5_i16];
    (0..7_i8, hours, 1..20_i16, weeks, option::of(days()), option::of(0..400_i64)).prop_map(
        move |(weekday, (from_minute, to_minute), slot, every_weeks, valid_from, valid_days)| {
            let valid_from = if every_weeks > 1 { valid_from.or(Some(date(2026, 1, 7))) } else { valid_from };
            Rule {
                weekday: Weekday::from_monday_zero_offset(weekday).expect("a weekday"),
                from_minute,
                to_minute,
                slot_minutes: slot * 5,
                zone: zone.clone(),
                valid_from,
                valid_to: valid_from.zip(valid_days).map(|(from, days)| from.saturating_add(days.days())),
                every_weeks,
            }
        },
    )
}

fn exception(zone: TimeZone) -> impl Strategy<Value = Exception> {
    let besides = prop_oneof![
        Just(Besides::ClinicClosed),
        Just(Besides::Away),
        (1..20_i16).prop_map(|slot| Besides::Extra { slot_minutes: slot * 5 }),
    ];
    (besides, days(), 0..1440_i64, 5..3000_i64).prop_map(move |(besides, day, from, length)| {
        let wall_from = day.at(0, 0, 0, 0) + from.minutes();
        Exception { besides, wall_from, wall_to: wall_from + length.minutes(), zone: zone.clone() }
    })
}

fn timetable() -> impl Strategy<Value = (TimeZone, Timetable)> {
    zone().prop_flat_map(|zone| {
        let parts = (vec(rule(zone.clone()), 1..6), vec(exception(zone.clone()), 0..4));
        parts.prop_map(move |(rules, exceptions)| (zone.clone(), Timetable { rules, exceptions }))
    })
}

/// A week around a day.
fn around(day: Date, zone: &TimeZone) -> (Timestamp, Timestamp) {
    let at = |days: i64| day.saturating_add(days.days()).to_zoned(zone.clone()).expect("a day").timestamp();
    (at(-3), at(4))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Each visit is as long as its type and begins at a time of the wall that some rule names, within its hours there.
    #[test]
    fn each_slot_is_on_the_grid_of_a_rule_by_the_clock_on_the_wall(
        (zone, table) in timetable(), day in days(), minutes in 5..120_i16,
    ) {
        let (from, to) = around(day, &zone);
        for at in table.starts(minutes, from, to) {
            let wall = at.to_zoned(zone.clone());
            let minute = i16::from(wall.hour()) * 60 + i16::from(wall.minute());
            let by_rule = table.rules.iter().any(|rule| {
                rule.weekday == wall.weekday()
                    && rule.from_minute <= minute
                    && minute < rule.to_minute
                    && (minute - rule.from_minute) % rule.slot_minutes == 0
                    && rule.valid_from.is_none_or(|from| from <= wall.date())
                    && rule.valid_to.is_none_or(|to| wall.date() <= to)
            });
            let by_exception = table.exceptions.iter().any(|one| {
                matches!(one.besides, Besides::Extra { slot_minutes }
                    if one.wall_from <= wall.datetime() && wall.datetime() < one.wall_to
                        && one.wall_from.duration_until(wall.datetime()).as_mins() % i64::from(slot_minutes) == 0)
            });
            prop_assert!(by_rule || by_exception, "{wall}");
            // The clock shows this time now, and has not shown it before: nothing in a gap, nothing twice in a fold.
            prop_assert_eq!(zone.to_ambiguous_timestamp(wall.datetime()).earlier().expect("an instant"), at);
        }
    }

    /// Whatever is offered lies wholly in the hours, and no leave touches it.
    #[test]
    fn each_slot_lies_in_the_hours(
        (zone, table) in timetable(), day in days(), minutes in 5..120_i16,
    ) {
        let (from, to) = around(day, &zone);
        let length = SignedDuration::from_mins(minutes.into());
        let hours = table.hours(from, to + length);
        for at in table.starts(minutes, from, to) {
            prop_assert!(without(&[(at, at + length)], &hours).is_empty(), "{at} in {hours:?}");
            for leave in table.exceptions.iter().filter(|one| one.besides == Besides::Away) {
                let (away, back) = leave.span();
                prop_assert!(at + length <= away || back <= at || away >= back);
            }
        }
    }

    /// Where visits are no longer than the steps of a rule, its slots are beside each other, on a day of change as on any other.
    #[test]
    fn slots_of_one_grid_do_not_overlap(zone in zone(), day in days(), steps in 1..24_i16, shorter in 0..24_i16) {
        let slot_minutes = steps * 5;
        let minutes = (slot_minutes - shorter * 5).max(5);
        let rules = Weekday::Monday.cycle_forward().take(7).map(|weekday| Rule {
            weekday,
            from_minute: 0,
            to_minute: 1440,
            slot_minutes,
            zone: zone.clone(),
            valid_from: None,
            valid_to: None,
            every_weeks: 1,
        });
        // Steps that do not fill the day begin again at midnight.
        prop_assume!(1440 % slot_minutes == 0);
        let table = Timetable { rules: rules.collect(), exceptions: Vec::new() };
        let (from, to) = around(day, &zone);
        let starts = table.starts(minutes, from, to);
        let mut seen = BTreeSet::new();
        for pair in starts.windows(2) {
            // A jump that is no multiple of the steps puts the grid of the wall askew once; the reservations settle that.
            let is_jump = zone.to_offset(pair[0]) != zone.to_offset(pair[1]);
            prop_assert!(is_jump || pair[0] + SignedDuration::from_mins(minutes.into()) <= pair[1], "{pair:?}");
        }
        for at in starts {
            prop_assert!(seen.insert(at.to_zoned(zone.clone()).datetime()), "{at} twice");
        }
    }

    /// Half past nine is half past nine, before and after the clocks change.
    #[test]
    fn a_rule_shows_the_same_time_on_the_wall_all_year(zone in zone(), day in days(), from in 36..200_i16) {
        let from_minute = from * 5;
        let rules = Weekday::Monday.cycle_forward().take(7).map(|weekday| Rule {
            weekday,
            from_minute,
            to_minute: from_minute + 30,
            slot_minutes: 30,
            zone: zone.clone(),
            valid_from: None,
            valid_to: None,
            every_weeks: 1,
        });
        let table = Timetable { rules: rules.collect(), exceptions: Vec::new() };
        let (from, to) = around(day, &zone);
        let starts = table.starts(30, from, to);
        prop_assert_eq!(starts.len(), 7);
        for at in starts {
            let wall = at.to_zoned(zone.clone());
            prop_assert_eq!(i16::from(wall.hour()) * 60 + i16::from(wall.minute()), from_minute);
        }
    }

    /// Looking at a stretch at once or in pieces finds the same: the search looks in pieces.
    #[test]
    fn a_stretch_has_the_slots_of_its_pieces((zone, table) in timetable(), day in days(), cut in 0..10_080_i64) {
        let (from, to) = around(day, &zone);
        let cut = (from + SignedDuration::from_mins(cut)).min(to);
        let pieces: Vec<_> = table.starts(20, from, cut).into_iter().chain(table.starts(20, cut, to)).collect();
        prop_assert_eq!(table.starts(20, from, to), pieces);
    }

    /// The arithmetic of spans, against going through them minute by minute.
    #[test]
    fn spans_are_merged_and_cut_out(
        open in vec((0..60_i64, 0..20_i64), 0..6), holes in vec((0..60_i64, 0..20_i64), 0..6), at in 0..80_i64,
    ) {
        let minute = |minute: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute);
        let spans = |list: &[(i64, i64)]| merge(list.iter().map(|(a, length)| (minute(*a), minute(a + length))).collect());
        let holds = |list: &[(i64, i64)]| list.iter().any(|(a, length)| (*a..a + length).contains(&at));
        let (open_spans, hole_spans) = (spans(&open), spans(&holes));
        let left = without(&open_spans, &hole_spans);
        prop_assert_eq!(!is_free(&left, minute(at), minute(at + 1)), holds(&open) && !holds(&holes));
        prop_assert!(left.windows(2).all(|pair| pair[0].1 <= pair[1].0));
    }
}
