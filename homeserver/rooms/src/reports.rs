//! What people report to the administrators of this server.
//!
//! A report outlives what it is about: it has the event as it was. The same person has one report of the same thing, the last.

use orvale_storage::{
    Batch,
    record::JsonText,
    trees::rooms::{REPORTED, REPORTS, ReportRecord, ReportSubject},
};
use ruma::{EventId, RoomId, UserId};

use crate::{
    Reader, Rooms,
    error::{Error, Result},
};

/// How many reports one person may have that nobody has dealt with.
const MAX_REPORTS: usize = 1000;
/// How long a reason may be, in bytes; what is longer is cut.
const MAX_REASON: usize = 4000;
/// How often another number is tried when many report at the same millisecond.
const ATTEMPTS: u64 = 1000;

impl Rooms {
    /// Reports an event of a room that the user is in, and may see.
    ///
    /// # Errors
    /// [`Error::UnknownEvent`], also for rooms the user is not in; [`Error::TooManyReports`].
    pub async fn report_event(
        &self,
        user: &UserId,
        room: &RoomId,
        event: &EventId,
        reason: &str,
    ) -> Result<()> {
        let unknown = || Error::UnknownEvent(event.to_owned());
        let room = self.find(room)?.ok_or_else(unknown)?;
        if !self.is_joined(user, &room)? {
            return Err(unknown());
        }
        let found = self.visible_event(user, &room, event)?;
        let mut json = Vec::new();
        found.write_client_format(&Reader::default(), &mut json)?;
        let json = String::from_utf8(json).map_err(|e| Error::Internal(e.to_string()))?;
        let subject = ReportSubject::Event {
            room_id: room.id.to_string(),
            event_id: event.to_string(),
            sender: found.pdu.sender.to_string(),
            event: JsonText(json),
        };
        self.report(user, event.as_str(), subject, reason).await
    }

    /// Reports a room, whether or not the user is in it.
    ///
    /// # Errors
    /// [`Error::UnknownRoom`], [`Error::TooManyReports`].
    pub async fn report_room(&self, user: &UserId, room: &RoomId, reason: &str) -> Result<()> {
        let room = self.get(room)?;
        let room_id = room.id.to_string();
        let subject = ReportSubject::Room {
            room_id: room_id.clone(),
        };
        self.report(user, &room_id, subject, reason).await
    }

    /// Reports somebody. Whether there is such a user is not told: of who is not there, nothing is kept.
    ///
    /// # Errors
    /// [`Error::TooManyReports`].
    pub async fn report_user(&self, user: &UserId, reported: &UserId, reason: &str) -> Result<()> {
        if self.is_local(reported) && !self.users().exists(reported)? {
            return Ok(());
        }
        let subject = ReportSubject::User {
            user_id: reported.to_string(),
        };
        self.report(user, reported.as_str(), subject, reason).await
    }

    async fn report(
        &self,
        user: &UserId,
        what: &str,
        subject: ReportSubject,
        reason: &str,
    ) -> Result<()> {
        let at = u64::from(self.now().get());
        let reason = &reason[..reason.floor_char_boundary(MAX_REASON.min(reason.len()))];
        let record = ReportRecord {
            reporter: user.to_string(),
            at,
            reason: reason.to_owned(),
            subject,
        };
        let key = (user.as_str(), what);
        for attempt in 0..ATTEMPTS {
            let before = self.store().get(&REPORTED, key)?;
            let mut batch = Batch::new();
            if let Some(before) = before {
                batch.delete(&REPORTS, (before,));
            } else {
                let theirs = self
                    .store()
                    .prefix(&REPORTED, (user.as_str(),), MAX_REPORTS)?;
                if theirs.len() >= MAX_REPORTS {
                    return Err(Error::TooManyReports(MAX_REPORTS));
                }
            }
            let number = at.saturating_mul(1000) + attempt;
            batch
                .expect::<_, ReportRecord>(&REPORTS, (number,), None)
                .expect(&REPORTED, key, before.as_ref())
                .put(&REPORTS, (number,), &record)
                .put(&REPORTED, key, &number);
            match self.store().commit(batch).await {
                Ok(_) => {
                    metrics::counter!("orvale_rooms_reports").increment(1);
                    tracing::info!(user_id = %user, what, "reported");
                    return Ok(());
                }
                Err(orvale_storage::Error::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Internal("no number is free for a report".to_owned()))
    }

    /// Reports with their numbers, the newest first or the oldest: those before or after one, at most so many.
    ///
    /// # Errors
    /// Storage's.
    pub fn list_reports(
        &self,
        beyond: Option<u64>,
        newest_first: bool,
        limit: usize,
    ) -> Result<Vec<(u64, ReportRecord)>> {
        let (from, to) = match (beyond, newest_first) {
            (None, _) => (0, u64::MAX),
            (Some(beyond), true) => (0, beyond),
            (Some(beyond), false) => (beyond.saturating_add(1), u64::MAX),
        };
        let found = self
            .store()
            .range(&REPORTS, (from,), (to,), newest_first, limit)?;
        let reports = found
            .into_iter()
            .map(|((number,), report)| (number, report));
        Ok(reports.collect())
    }

    /// A report.
    ///
    /// # Errors
    /// Storage's.
    pub fn find_report(&self, number: u64) -> Result<Option<ReportRecord>> {
        Ok(self.store().get(&REPORTS, (number,))?)
    }

    /// Removes a report that was dealt with; whether it was there.
    ///
    /// # Errors
    /// Storage's.
    pub async fn remove_report(&self, number: u64) -> Result<bool> {
        loop {
            let Some(report) = self.find_report(number)? else {
                return Ok(false);
            };
            let what = match &report.subject {
                ReportSubject::Event { event_id, .. } => event_id,
                ReportSubject::Room { room_id } => room_id,
                ReportSubject::User { user_id } => user_id,
            };
            let mut batch = Batch::new();
            batch
                .expect(&REPORTS, (number,), Some(&report))
                .delete(&REPORTS, (number,))
                .delete(&REPORTED, (&report.reporter, what));
            match self.store().commit(batch).await {
                Ok(_) => return Ok(true),
                Err(orvale_storage::Error::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        NewRoom,
        testing::{rooms, text},
    };

    #[tokio::test]
    async fn reports_keep_what_was_reported_and_are_listed_both_ways() {
        let rooms = rooms();
        let [alice, bob, carol] = rooms.people(["alice", "bob", "carol"]).await;
        let room = rooms.create(&alice, NewRoom::default()).await.unwrap();
        let bad = rooms.did(&room, text(&alice, "bad words")).await.unwrap();
        let id = bad.event_id();
        let stranger = rooms.report_event(&bob, &room.id, id, "bad").await;
        assert!(matches!(stranger, Err(Error::UnknownEvent(_))));
        for reason in ["first", "second"] {
            let reported = rooms.report_event(&alice, &room.id, id, reason);
            reported.await.unwrap();
        }
        rooms.report_room(&bob, &room.id, "").await.unwrap();
        rooms.report_user(&bob, &carol, "rude").await.unwrap();
        let nobody = ruma::user_id!("@nobody:orvale.test");
        rooms.report_user(&bob, nobody, "").await.unwrap();

        let all = rooms.list_reports(None, false, 10).unwrap();
        let reasons: Vec<_> = all.iter().map(|(_, report)| &*report.reason).collect();
        assert_eq!(reasons, ["second", "", "rude"]);
        let ReportSubject::Event { event, .. } = &all[0].1.subject else {
            panic!("the first is of the event");
        };
        assert!(event.0.contains("bad words"));
        let newest = rooms.list_reports(None, true, 2).unwrap();
        assert_eq!(newest, [all[2].clone(), all[1].clone()]);
        let rest = rooms.list_reports(Some(all[1].0), true, 2).unwrap();
        assert_eq!(rest, [all[0].clone()]);
        let rest = rooms.list_reports(Some(all[1].0), false, 2).unwrap();
        assert_eq!(rest, [all[2].clone()]);

        assert!(rooms.remove_report(all[0].0).await.unwrap());
        assert!(!rooms.remove_report(all[0].0).await.unwrap());
        assert_eq!(rooms.list_reports(None, false, 10).unwrap().len(), 2);
        // It may be reported again.
        let again = rooms.report_event(&alice, &room.id, id, "again");
        again.await.unwrap();
    }

    #[tokio::test]
    async fn a_long_reason_is_cut_between_letters() {
        let rooms = rooms();
        let [alice, bob] = rooms.people(["alice", "bob"]).await;
        let long = "ü".repeat(5000);
        rooms.report_user(&alice, &bob, &long).await.unwrap();
        let kept = &rooms.list_reports(None, true, 1).unwrap()[0].1.reason;
        assert_eq!(kept.len(), MAX_REASON);
    }
}
