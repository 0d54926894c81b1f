//! `orvale add-user`: the first account, and any other while nobody can ask the server for it.

use anyhow::{Context, Result};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::Args;
use orvale_users::{Clock, NewAccount, Users};

use crate::{Settings, build, signing_key};

#[derive(Args)]
pub(crate) struct Options {
    /// The name: the part of the user ID before the colon
    name: String,
    /// Whether the account may administer the server
    #[arg(long)]
    admin: bool,
    #[command(flatten)]
    settings: Settings,
}

pub(crate) async fn add(options: &Options) -> Result<String> {
    let config = options.settings.load()?;
    signing_key::load_or_make(&config.data_dir, &config.server_name)?;
    let store = build::open_store(&config)
        .await
        .context("the server must not run meanwhile")?;
    let users = Users::new(
        store.clone(),
        &config.server_name,
        config.users.clone(),
        Clock::system(),
    )?;
    let password = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 12]>());
    let account = NewAccount {
        localpart: Some(&options.name),
        password: Some(&password),
        admin: options.admin,
        ..NewAccount::default()
    };
    let user_id = users.create_account(account).await;
    store.close().await?;
    Ok(format!("{}\npassword: {password}", user_id?))
}
