//! What was measured, a line each: ours, the reference, the ratio and the goal.

/// Whether more or less of it is better.
#[derive(Clone, Copy)]
pub enum Better {
    Less,
    More,
}

/// One line.
pub struct Line<'a> {
    pub what: &'a str,
    pub unit: &'a str,
    pub ours: Vec<f64>,
    pub reference: (&'a str, Vec<f64>),
    /// The ratio to the reference that is asked for.
    pub goal: f64,
    pub better: Better,
}

/// Lines that were printed.
#[derive(Default)]
pub struct Table {
    printed: usize,
    missed: usize,
}

impl Table {
    /// Prints a line.
    pub fn line(&mut self, line: &Line<'_>) {
        if self.printed == 0 {
            println!(
                "{:<44} {:>22} {:>34} {:>7} {:>7}",
                "what", "here", "reference", "ratio", "goal"
            );
        }
        self.printed += 1;
        let (ours, theirs) = (median(&line.ours), median(&line.reference.1));
        let ratio = ours / theirs;
        let met = match line.better {
            Better::Less => ratio <= line.goal,
            Better::More => ratio >= line.goal,
        };
        self.missed += usize::from(!met);
        println!(
            "{:<44} {:>22} {:>34} {:>7.2} {:>7.2} {}",
            line.what,
            format!("{} {}", spread(&line.ours), line.unit),
            format!("{} {}", line.reference.0, spread(&line.reference.1)),
            ratio,
            line.goal,
            if met { "met" } else { "missed" },
        );
    }

    /// Prints a figure that has no reference in this run.
    pub fn figure(&mut self, what: &str, unit: &str, ours: &[f64]) {
        self.printed += 1;
        println!("{what:<44} {:>22}", format!("{} {unit}", spread(ours)));
    }

    /// Says how many goals were missed.
    pub fn close(&self) {
        println!("{} lines, {} goals missed", self.printed, self.missed);
    }
}

/// The middle of what was measured.
pub fn median(values: &[f64]) -> f64 {
    percentile(values, 50)
}

/// The value that `q` of a hundred do not exceed.
pub fn percentile(values: &[f64], q: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = sorted.len() * q / 100;
    sorted[at.min(sorted.len() - 1)]
}

fn spread(values: &[f64]) -> String {
    let digits = if median(values) < 10.0 { 2 } else { 0 };
    let (low, high) = (percentile(values, 0), percentile(values, 100));
    if values.len() == 1 {
        return format!("{low:.digits$}");
    }
    format!("{:.digits$} [{low:.digits$}-{high:.digits$}]", median(values))
}
