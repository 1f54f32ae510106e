//! What requesters send.

use zoetrope::{
    burst::{Burst, jpegs},
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

/// JPEGs one after another: whatever they are, pieces of the input in order.
pub fn burst(input: &[u8]) -> u64 {
    let mut rest = input;
    let mut count = 0;
    for jpeg in jpegs(input).map_while(Result::ok) {
        assert!(jpeg.starts_with(&[0xff, 0xd8]) && jpeg.ends_with(&[0xff, 0xd9]));
        let at = jpeg.as_ptr() as usize - rest.as_ptr() as usize;
        rest = &rest[at + jpeg.len()..];
        count += 1;
    }
    let answers = [
        Burst::of_jpegs(input, 10.0).map(drop),
        Burst::before_still(input, 10.0).map(drop),
    ];
    answers.into_iter().fold(count.min(20), |sum, answer| {
        sum.rotate_left(21) ^ answer.err().map_or(0, |error| kind(&error.to_string()))
    })
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
