//! Medians, spreads and ratios, printed as a table.

/// The figures of one side, one for each round.
#[derive(Clone, Debug)]
pub(crate) struct Side {
    pub(crate) name: String,
    pub(crate) rounds: Vec<f64>,
}

impl Side {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            rounds: Vec::new(),
        }
    }

    pub(crate) fn median(&self) -> f64 {
        let mut sorted = self.rounds.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
    }

    fn spread(&self) -> (f64, f64) {
        self.rounds
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| {
                (low.min(value), high.max(value))
            })
    }
}

/// Prints the sides with their ratio to the one called `stick`.
pub(crate) fn table(title: &str, unit: &str, stick: &str, sides: &[Side]) {
    let reference = sides
        .iter()
        .find(|side| side.name == stick)
        .map_or(f64::NAN, Side::median);
    println!("\n{title} ({unit}; median, lowest to highest, ratio to {stick})");
    for side in sides {
        let (low, high) = side.spread();
        println!(
            "  {:<34} {:>12.1}   {:>10.1} … {:<10.1}  × {:.3}",
            side.name,
            side.median(),
            low,
            high,
            side.median() / reference
        );
    }
}
