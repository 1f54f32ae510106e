//! Eight numbers one after another: what every machine has, and the oracle of
//! what the others answer.

use super::{
    Found, Pair, Votes,
    floats::{Floats, LANES},
};

/// See [`Isa::search`](crate::arch::Isa::search).
pub fn search(pair: &Pair<'_>, corner: [usize; 2], starts: &[[f32; 2]], steps: usize) -> Found {
    super::search::<Each>(pair, corner, starts, steps)
}

/// See [`Isa::vote`](crate::arch::Isa::vote).
pub fn vote(pair: &Pair<'_>, corner: [usize; 2], flow: [f32; 2], votes: &mut Votes) {
    super::vote::<Each>(pair, corner, flow, votes);
}

#[derive(Clone, Copy)]
struct Each([f32; LANES]);

impl Each {
    fn zip(self, other: Self, operation: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(|lane| {
            operation(self.0[lane], other.0[lane])
        }))
    }
}

impl Floats for Each {
    fn splat(value: f32) -> Self {
        Self([value; LANES])
    }

    fn load(values: &[f32; LANES]) -> Self {
        Self(*values)
    }

    fn store(self, values: &mut [f32; LANES]) {
        *values = self.0;
    }

    fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }

    fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }

    fn mul(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }

    fn div(self, other: Self) -> Self {
        self.zip(other, |a, b| a / b)
    }

    fn max(self, other: Self) -> Self {
        self.zip(other, f32::max)
    }

    fn abs(self) -> Self {
        Self(self.0.map(f32::abs))
    }

    fn sum(self) -> f32 {
        let [a, b, c, d, e, f, g, h] = self.0;
        ((a + e) + (c + g)) + ((b + f) + (d + h))
    }
}
