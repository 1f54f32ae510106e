//! Markdown tables, and how repeated figures stand in them.

/// A table that is printed as a whole.
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these column heads.
    pub fn new(heads: &[&str]) -> Self {
        Self {
            rows: vec![heads.iter().map(|head| (*head).to_owned()).collect()],
        }
    }

    /// Adds a row; it has as many cells as there are heads.
    pub fn row(&mut self, cells: impl Into<Vec<String>>) {
        let cells = cells.into();
        assert_eq!(
            cells.len(),
            self.rows[0].len(),
            "a row as wide as its table"
        );
        self.rows.push(cells);
    }

    /// Prints it below a title, columns lined up.
    pub fn print(&self, title: &str) {
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| row[column].chars().count());
            cells.max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.rows[0].len()).map(width).collect();
        let line = |cells: Vec<String>| println!("| {} |", cells.join(" | "));
        println!("\n## {title}\n");
        for (at, row) in self.rows.iter().enumerate() {
            let padded = row.iter().zip(&widths);
            line(
                padded
                    .map(|(cell, width)| format!("{cell:<width$}"))
                    .collect(),
            );
            if at == 0 {
                line(widths.iter().map(|width| "-".repeat(*width)).collect());
            }
        }
    }
}

/// One figure, measured several times.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    /// The smallest: what else the machine does only ever adds.
    pub min: f64,
    /// The middle one, or the lower of two.
    pub median: f64,
    runs: usize,
}

impl Spread {
    /// Of a figure of every run.
    ///
    /// # Panics
    /// Without a run.
    pub fn of<T>(runs: &[T], figure: impl Fn(&T) -> f64) -> Self {
        let mut figures: Vec<f64> = runs.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        Self {
            min: figures[0],
            median: figures[(figures.len() - 1) / 2],
            runs: figures.len(),
        }
    }

    /// `min / median` with so many decimals; of one run just that.
    pub fn show(&self, decimals: usize) -> String {
        if self.runs == 1 {
            return format!("{:.decimals$}", self.min);
        }
        format!("{:.decimals$} / {:.decimals$}", self.min, self.median)
    }
}

/// Megabytes of a million bytes.
pub fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
