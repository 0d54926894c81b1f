//! The commit log on a disk that loses what was not synced.

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng, rngs::SmallRng};

use super::{simulated::SimulatedDisk, *};

const SIZE: u64 = 6 * PAGE as u64;

/// A group's one batch: told by its number, of any length.
fn writes(group: u64, length: usize) -> Vec<u8> {
    let mut bytes = group.to_le_bytes().to_vec();
    bytes.resize(8 + length, group as u8);
    bytes
}

type Groups = Vec<(u64, Vec<u8>)>;

fn open(disk: &SimulatedDisk, after: u64) -> Result<(Arc<CommitLog>, Appender, Groups)> {
    let mut groups = Vec::new();
    let (log, appender) =
        CommitLog::open(Arc::new(disk.clone()), SIZE, after, |group, batches| {
            groups.push((group, batches[0].writes.to_vec()));
            Ok(())
        })?;
    Ok((log, appender, groups))
}

fn append(appender: &mut Appender, group: u64, length: usize) -> io::Result<u64> {
    let bytes = writes(group, length);
    Ok(appender.append(std::iter::once((group, 1, &bytes[..])))?.0)
}

/// How many power cuts to simulate.
fn rounds() -> u64 {
    let rounds = std::env::var("ORVALE_CRASH_ROUNDS")
        .ok()
        .and_then(|rounds| rounds.parse().ok());
    rounds.map_or(300, |rounds: u64| rounds * 100)
}

#[test]
fn what_was_acknowledged_survives_power_cuts() {
    let mut random = SmallRng::seed_from_u64(1);
    let mut disk = SimulatedDisk::default();
    let mut lengths: BTreeMap<u64, usize> = BTreeMap::new();
    let (mut checkpoint, mut acknowledged) = (0, 0);
    for round in 0..rounds() {
        let (log, mut appender, groups) =
            open(&disk, checkpoint).unwrap_or_else(|e| panic!("round {round}: {e}"));
        let last = groups.last().map_or(checkpoint, |(group, _)| *group);
        assert!(
            last >= acknowledged,
            "round {round}: {last} of {acknowledged} acknowledged"
        );
        for (n, (group, found)) in groups.iter().enumerate() {
            assert_eq!(*group, checkpoint + 1 + n as u64, "round {round}");
            assert_eq!(*found, writes(*group, lengths[group]), "round {round}");
        }
        acknowledged = last;
        for _ in 0..random.random_range(0..40) {
            match random.random_range(0..10) {
                0 => log.prepare().unwrap(),
                1 => {
                    checkpoint = random.random_range(checkpoint..=acknowledged);
                    log.release(checkpoint).unwrap();
                }
                _ => {
                    let length = random.random_range(0..3 * PAGE);
                    lengths.insert(acknowledged + 1, length);
                    acknowledged = append(&mut appender, acknowledged + 1, length).unwrap();
                }
            }
        }
        if random.random_bool(0.8) {
            // The cut comes between the write and the end of the sync.
            let length = random.random_range(0..3 * PAGE);
            lengths.insert(acknowledged + 1, length);
            disk.cut_in_sync(random.random_range(0..2));
            if append(&mut appender, acknowledged + 1, length).is_ok() {
                acknowledged += 1;
            }
        }
        disk = disk.after_power_cut(&mut random);
    }
    assert!(acknowledged > rounds());
}

#[test]
fn a_damaged_group_in_the_middle_is_told_from_a_torn_end() {
    let disk = SimulatedDisk::default();
    let (_, mut appender, _) = open(&disk, 0).unwrap();
    for group in 1..=3 {
        append(&mut appender, group, 10).unwrap();
    }
    let name = name(1);
    // The last one may be torn: it is cut off.
    disk.damage(&name, 3 * PAGE + 40);
    assert_eq!(open(&disk, 0).unwrap().2.len(), 2);
    disk.damage(&name, 3 * PAGE + 40);
    // The middle one, and the header, were acknowledged: they cannot be.
    disk.damage(&name, 2 * PAGE + 40);
    assert!(
        matches!(open(&disk, 0), Err(Error::Damaged { reason, .. }) if reason.contains("group 2"))
    );
    disk.damage(&name, 2 * PAGE + 40);
    disk.damage(&name, 9);
    assert!(
        matches!(open(&disk, 0), Err(Error::Damaged { reason, .. }) if reason.contains("header"))
    );
}

#[test]
fn a_missing_segment_is_missed() {
    let disk = SimulatedDisk::default();
    let (_, mut appender, _) = open(&disk, 0).unwrap();
    for group in 1..=12 {
        append(&mut appender, group, PAGE).unwrap();
    }
    disk.remove(&name(2)).unwrap();
    assert!(
        matches!(open(&disk, 0), Err(Error::Damaged { reason, .. }) if reason.contains("missing"))
    );
}

#[test]
fn files_are_used_again_and_held_groups_are_kept() {
    let disk = SimulatedDisk::default();
    let (log, mut appender, _) = open(&disk, 0).unwrap();
    let mut held = None;
    for group in 1..=200 {
        append(&mut appender, group, PAGE).unwrap();
        if group == 100 {
            held = Some(log.hold(99));
        }
        log.release(group - 1).unwrap();
    }
    let mut seen = Vec::new();
    held.unwrap()
        .visit(200, |group, _| {
            seen.push(group);
            Ok(())
        })
        .unwrap();
    assert!(seen.into_iter().eq(100..=200));
    log.release(200).unwrap();
    assert!(
        disk.list().unwrap().len() <= SPARES + 2,
        "{:?}",
        disk.list()
    );
}

#[test]
fn a_refusing_disk_is_told_of() {
    let disk = SimulatedDisk::default();
    let (_, mut appender, _) = open(&disk, 0).unwrap();
    append(&mut appender, 1, 10).unwrap();
    disk.cut_in_sync(0);
    assert!(append(&mut appender, 2, 10).is_err());
    assert_eq!(
        open(&disk.after_power_cut(&mut SmallRng::seed_from_u64(1)), 0)
            .unwrap()
            .2
            .len(),
        1
    );
}
