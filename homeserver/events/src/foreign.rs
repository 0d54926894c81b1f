//! [`Foreign`]: an event as another server sent it, on its way to being believed.
//!
//! The first three of the
//! [checks on receipt of a PDU](https://spec.matrix.org/v1.19/server-server-api/#checks-performed-on-receipt-of-a-pdu): format,
//! signatures, content hash. The others, [`crate::check_auth_events`] and [`crate::check_state`], need the room.

use std::collections::BTreeSet;

use ruma::{
    CanonicalJsonObject, CanonicalJsonValue, EventId, OwnedEventId, OwnedRoomId, OwnedServerName,
    RoomId, ServerName,
    canonical_json::redact_in_place,
    room_version_rules::RoomVersionRules,
    signatures::{PublicKeyMap, required_server_signatures_to_verify_event, verify_event},
};

use crate::{
    Error, MAX_PDU_BYTES, Pdu, ServerKey,
    canonical::{self, Reading},
    format,
    pdu::room_id_of_create,
    redact::event_id,
};

/// An event another server sent, of the right format; nothing more is known of it yet.
#[derive(Debug, Clone)]
pub struct Foreign {
    event_id: OwnedEventId,
    room_id: OwnedRoomId,
    object: CanonicalJsonObject,
}

/// An event whose signatures are valid.
#[derive(Debug, Clone)]
pub enum Verified {
    /// Its content hash is right too: the event as it came.
    All(Pdu, Vec<u8>),
    /// Its content is not what was hashed, perhaps because it was redacted already: the redacted event, which is to be
    /// stored and checked further in its place.
    Signatures(Pdu, Vec<u8>),
}

impl Verified {
    /// The event, and its canonical JSON, to go on with.
    pub fn into_parts(self) -> (Pdu, Vec<u8>) {
        match self {
            Self::All(pdu, json) | Self::Signatures(pdu, json) => (pdu, json),
        }
    }
}

/// Reads an event another server sent and checks format, signatures and hash. An error means: drop it.
pub fn verify(
    json: &[u8],
    rules: &RoomVersionRules,
    keys: &PublicKeyMap,
) -> Result<Verified, Error> {
    Foreign::read(json, rules)?.verify(rules, keys)
}

impl Foreign {
    /// Reads an event another server sent. Its `unsigned` is left out: nobody vouches for it.
    pub fn read(json: &[u8], rules: &RoomVersionRules) -> Result<Self, Error> {
        Self::from_object(canonical::parse_object(json, Reading::PDU)?, rules)
    }

    /// Takes an event out of a larger document that was read with [`Reading::PDU`].
    pub fn from_object(
        mut object: CanonicalJsonObject,
        rules: &RoomVersionRules,
    ) -> Result<Self, Error> {
        object.remove("unsigned");
        format::check(&object, rules)?;
        let size = canonical::to_vec(&object).len();
        if size > MAX_PDU_BYTES {
            return Err(Error::TooLarge {
                size,
                limit: MAX_PDU_BYTES,
            });
        }
        let event_id = event_id(&object, rules)?;
        let room_id = match object.get("room_id") {
            Some(CanonicalJsonValue::String(id)) => {
                RoomId::parse(id).map_err(|error| Error::Format(format!("room_id: {error}")))?
            }
            _ => room_id_of_create(&event_id),
        };
        Ok(Self {
            event_id,
            room_id,
            object,
        })
    }

    /// Its reference hash, the same for the whole and the redacted event.
    pub fn event_id(&self) -> &EventId {
        &self.event_id
    }

    /// Its room.
    pub fn room_id(&self) -> &RoomId {
        &self.room_id
    }

    /// The event, for looking at before it is believed: templates and invites are checked field by field before we sign them.
    pub fn object(&self) -> &CanonicalJsonObject {
        &self.object
    }

    /// The servers whose signatures it must carry.
    pub fn signers(&self, rules: &RoomVersionRules) -> Result<BTreeSet<OwnedServerName>, Error> {
        required_server_signatures_to_verify_event(&self.object, &rules.signatures)
            .map_err(|error| Error::Signature(error.to_string()))
    }

    /// The IDs of the keys with which `server` claims to have signed it.
    pub fn key_ids(&self, server: &ServerName) -> Vec<&str> {
        let signatures = self
            .object
            .get("signatures")
            .and_then(CanonicalJsonValue::as_object);
        let of_server = signatures
            .and_then(|map| map.get(server.as_str()))
            .and_then(CanonicalJsonValue::as_object);
        of_server
            .into_iter()
            .flatten()
            .map(|(id, _)| id.as_str())
            .collect()
    }

    /// Checks the signatures of all its [signers](Self::signers), and the content hash.
    ///
    /// `keys` holds, for each signer, those of its keys that were valid at `origin_server_ts`. Signatures by other keys do
    /// not count; each signature by one of these must be right, and each signer needs one.
    pub fn verify(
        mut self,
        rules: &RoomVersionRules,
        keys: &PublicKeyMap,
    ) -> Result<Verified, Error> {
        use ruma::signatures::Verified::{All, Signatures};
        let verified = verify_event(keys, &self.object, rules)
            .map_err(|error| Error::Signature(error.to_string()))?;
        if verified == Signatures {
            redact_in_place(&mut self.object, &rules.redaction, None)
                .map_err(|error| Error::Format(error.to_string()))?;
        }
        let json = canonical::to_vec(&self.object);
        let pdu = Pdu::parse(self.event_id, self.room_id, &json, rules)?;
        Ok(match verified {
            All => Verified::All(pdu, json),
            Signatures => Verified::Signatures(pdu, json),
        })
    }

    /// Adds this server's signature, as the server of an invited user, or of the user who lets somebody join, does.
    ///
    /// Our key vouches for the event from then on: what is signed must have been checked field by field.
    pub fn sign(&mut self, rules: &RoomVersionRules, key: &ServerKey) -> Result<(), Error> {
        ruma::signatures::sign_event(
            key.server_name().as_str(),
            key,
            &mut self.object,
            &rules.redaction,
        )
        .map_err(|error| Error::Signature(error.to_string()))
    }
}

#[cfg(test)]
mod tests;
