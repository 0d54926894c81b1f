//! Users of this server who prove who they are to others.

pub(crate) mod get_openid_userinfo;
