//! Medians, spreads and ratios, printed as a table.

/// One figure of several sides, taken round by round.
pub(crate) struct Table {
    title: String,
    unit: &'static str,
    /// The side that the others are compared with.
    stick: &'static str,
    sides: Vec<Side>,
}

/// The figures of one side, one for each round.
struct Side {
    name: String,
    rounds: Vec<f64>,
}

impl Table {
    pub(crate) fn new(title: impl Into<String>, unit: &'static str, stick: &'static str) -> Self {
        Self {
            title: title.into(),
            unit,
            stick,
            sides: Vec::new(),
        }
    }

    /// Notes what a round gave for a side; sides are shown in the order in which they come first.
    pub(crate) fn record(&mut self, side: &str, value: f64) {
        match self.sides.iter_mut().find(|known| known.name == side) {
            Some(known) => known.rounds.push(value),
            None => self.sides.push(Side {
                name: side.to_owned(),
                rounds: vec![value],
            }),
        }
    }

    pub(crate) fn print(&self) {
        let stick = self.sides.iter().find(|side| side.name == self.stick);
        let reference = stick.map_or(f64::NAN, Side::median);
        println!(
            "\n{} ({}; median, lowest to highest, ratio to {})",
            self.title, self.unit, self.stick
        );
        for side in &self.sides {
            let (low, high) = side.spread();
            println!(
                "  {:<40} {:>12.1}   {:>10.1} … {:<10.1}  × {:.3}",
                side.name,
                side.median(),
                low,
                high,
                side.median() / reference
            );
        }
    }
}

impl Side {
    fn median(&self) -> f64 {
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
