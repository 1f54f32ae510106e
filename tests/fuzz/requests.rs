//! What requesters send.

use zoetrope::{
    publication::{
        Arrival, Defaults, JSON_BYTES_MAX, cancel_command, get_command, photo_order, plain_command,
        render_order,
    },
    still::Limits,
};

use crate::{hash, targets::kind};

/// `request/render`.
pub fn render(input: &[u8]) -> u64 {
    match render_order(input, Arrival::now(None), &Defaults::default()) {
        Err(refusal) => kind(&refusal.error.to_string()),
        Ok(order) => {
            assert!(input.len() <= JSON_BYTES_MAX);
            let request = order.request;
            request.look.validated().unwrap();
            request.shape.validated().unwrap();
            assert!(!request.id.as_str().contains('/'));
            hash(
                format!("{:?}", request.source)
                    .split('(')
                    .next()
                    .unwrap()
                    .as_bytes(),
            )
        }
    }
}

/// `request/render_photo`, properties and photograph of the same bytes.
pub fn render_photo(input: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(input);
    let properties: Vec<_> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let kind_of_photo = text.lines().next().filter(|line| line.contains('/'));
    let order = photo_order(
        input,
        kind_of_photo,
        &properties,
        Arrival::now(None),
        &Limits::default(),
        &Defaults::default(),
    );
    match order {
        Err(refusal) => kind(&refusal.error.to_string()),
        Ok(order) => {
            order.request.look.validated().unwrap();
            order.request.shape.validated().unwrap();
            properties.len().min(16) as u64
        }
    }
}

/// Everything that is asked for besides clips, of one payload.
pub fn commands(input: &[u8]) -> u64 {
    let kinds = [
        plain_command(input).map(drop),
        cancel_command(input).map(|command| assert!(!command.what.as_str().contains('/'))),
        get_command(input).map(drop),
    ];
    kinds.into_iter().fold(0, |sum, read| {
        let kind = read
            .err()
            .map_or(0, |refusal| kind(&refusal.error.to_string()));
        sum.rotate_left(21) ^ kind
    })
}
