//! Who there is, and how they log in.

use anyhow::Result;
use orvale_users::{NewAccount, Users};
use ruma::OwnedUserId;

/// The password of everybody in the demo.
const PASSWORD: &str = "orvale-demo";

/// Localpart, display name, whether they administer the server.
pub(super) const PEOPLE: [(&str, &str, bool); 8] = [
    ("ada", "Ada Okafor", true),
    ("ben", "Ben Lindqvist", false),
    ("chiara", "Chiara Moretti", false),
    ("dmitri", "Dmitri Sokolov", false),
    ("elif", "Elif Yılmaz", false),
    ("farah", "Farah Haddad", false),
    ("gus", "Gus Almeida", false),
    ("hana", "Hana Novák", false),
];

/// Who is who in [`PEOPLE`].
pub(super) const ADA: usize = 0;
pub(super) const BEN: usize = 1;
pub(super) const CHIARA: usize = 2;
pub(super) const DMITRI: usize = 3;
pub(super) const ELIF: usize = 4;
pub(super) const FARAH: usize = 5;
pub(super) const GUS: usize = 6;
pub(super) const HANA: usize = 7;

/// Makes the accounts of all, in the order of [`PEOPLE`].
pub(super) async fn create(users: &Users) -> Result<Vec<OwnedUserId>> {
    let mut people = Vec::new();
    for (localpart, name, admin) in PEOPLE {
        let account = NewAccount {
            localpart: Some(localpart),
            password: Some(PASSWORD),
            display_name: Some(name),
            admin,
            ..NewAccount::default()
        };
        people.push(users.create_account(account).await?);
    }
    Ok(people)
}

/// The logins that work, a line each.
pub(crate) async fn logins(users: &Users) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for (localpart, name, admin) in PEOPLE {
        let Some(user_id) = users.named(localpart) else {
            continue;
        };
        if users.exists(&user_id)? && users.password_matches(&user_id, PASSWORD).await? {
            let role = if admin { ", administrator" } else { "" };
            lines.push(format!("  {localpart:8} {PASSWORD}   ({name}{role})"));
        }
    }
    Ok(lines)
}
