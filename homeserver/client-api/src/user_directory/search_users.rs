//! `POST /_matrix/client/v3/user_directory/search`

use axum::extract::State;
use orvale_http::{Caller, Ruma, heavy};
use orvale_search::{Person, Search};
use ruma::api::client::user_directory::search_users::v3::{Request, Response, User};

use crate::Error;

pub(crate) async fn handle(
    State(search): State<Search>,
    caller: Caller,
    Ruma(request): Ruma<Request>,
) -> Result<Response, Error> {
    let limit = usize::try_from(u64::from(request.limit)).unwrap_or(usize::MAX);
    let directory = search.directory();
    let (people, limited) =
        heavy(|| directory.find(caller.user_id(), &request.search_term, limit))?;
    Ok(Response::new(
        people.into_iter().map(shown).collect(),
        limited,
    ))
}

fn shown(person: Person) -> User {
    let mut user = User::new(person.user_id);
    user.display_name = person.display_name;
    user.avatar_url = person.avatar_url.map(Into::into);
    user
}
