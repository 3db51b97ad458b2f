//! Small pictures of figures over time, drawn by the server.

use maud::{Markup, html};

use crate::model::time::Timestamp;

/// The height of a picture; the width is 100.
const HEIGHT: f64 = 28.0;
/// Room above and below the line, for its own width.
const MARGIN: f64 = 1.0;

/// A figure over time.
pub struct Spark {
    /// What it is and how it went, for who does not see it.
    pub label: String,
    /// The time at its left and right end.
    pub span: (Timestamp, Timestamp),
    /// The figures at its lower and upper end.
    pub range: (f64, f64),
    /// How many parts the time is cut into: of each the highest figure is shown.
    pub parts: u16,
}

impl Spark {
    /// The picture of these figures, in the order of time. Where there are none it has a gap.
    #[must_use]
    pub fn of(&self, points: impl Iterator<Item = (Timestamp, f64)>) -> Markup {
        let runs = runs(&self.highest(points));
        let line: String = runs.iter().map(|run| self.line(run)).collect();
        let area: String = runs.iter().map(|run| self.area(run)).collect();
        let view = format!("0 0 100 {HEIGHT}");
        html! {
            svg class="spark" viewBox=(view) preserveAspectRatio="none" role="img" aria-label=(self.label) {
                @if !line.is_empty() { path class="area" d=(area) {} path d=(line) {} }
            }
        }
    }

    /// The highest figure of each part of the time.
    fn highest(&self, points: impl Iterator<Item = (Timestamp, f64)>) -> Vec<Option<f64>> {
        let parts = i64::from(self.parts.max(1));
        let length = (self.span.1.0 - self.span.0.0).max(1);
        let mut highest = vec![None; usize::from(self.parts.max(1))];
        for (at, figure) in points {
            let part = (at.0 - self.span.0.0).saturating_mul(parts).div_euclid(length);
            // What is of this very moment is of the last part.
            let part = if part == parts { parts - 1 } else { part };
            let place = usize::try_from(part).ok().and_then(|part| highest.get_mut(part));
            if let Some(place) = place {
                *place = Some(place.map_or(figure, |before: f64| before.max(figure)));
            }
        }
        highest
    }

    fn x(&self, part: f64) -> String {
        format!("{:.2}", 100.0 * part / f64::from(self.parts.max(1)))
    }

    fn y(&self, figure: f64) -> String {
        let (low, high) = self.range;
        let share = if high > low { ((figure - low) / (high - low)).clamp(0.0, 1.0) } else { 0.0 };
        format!("{:.1}", HEIGHT - MARGIN - share * (HEIGHT - 2.0 * MARGIN))
    }

    /// A run as a line from the middle of each part to that of the next; of one part alone a dash.
    fn steps(&self, run: &[(f64, f64)]) -> String {
        let step =
            |(part, figure): &(f64, f64)| format!("{} {}", self.x(part + 0.5), self.y(*figure));
        match run {
            [(part, figure)] => {
                format!("{} {y}L{} {y}", self.x(*part), self.x(part + 1.0), y = self.y(*figure))
            }
            _ => run.iter().map(step).collect::<Vec<_>>().join("L"),
        }
    }

    fn line(&self, run: &[(f64, f64)]) -> String {
        format!("M{}", self.steps(run))
    }

    fn area(&self, run: &[(f64, f64)]) -> String {
        let (Some((first, _)), Some((last, _))) = (run.first(), run.last()) else {
            return String::new();
        };
        let half = if run.len() == 1 { 0.0 } else { 0.5 };
        let end = self.x(last + 1.0 - half);
        format!("M{} {HEIGHT}L{}L{end} {HEIGHT}Z", self.x(first + half), self.steps(run))
    }
}

/// The parts that follow each other without a gap, with their figures.
fn runs(highest: &[Option<f64>]) -> Vec<Vec<(f64, f64)>> {
    let mut runs: Vec<Vec<(f64, f64)>> = vec![vec![]];
    for (part, figure) in (0_u32..).map(f64::from).zip(highest) {
        match (figure, runs.last_mut()) {
            (Some(figure), Some(run)) => run.push((part, *figure)),
            (None, Some(run)) if !run.is_empty() => runs.push(vec![]),
            (_, _) => {}
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(points: &[(i64, f64)]) -> String {
        let span = (Timestamp(0), Timestamp(400));
        let spark = Spark { label: "Load".into(), span, range: (0.0, 1.0), parts: 4 };
        spark.of(points.iter().map(|(at, figure)| (Timestamp(*at), *figure))).into_string()
    }

    #[test]
    fn a_line_has_the_highest_of_each_part_and_gaps() {
        let line = drawn(&[(0, 0.5), (10, 1.0), (100, 0.0), (300, 0.5), (400, 7.0)]);
        assert!(line.contains("d=\"M12.50 1.0L37.50 27.0M75.00 1.0L100.00 1.0\""), "{line}");
        let area =
            "M12.50 28L12.50 1.0L37.50 27.0L37.50 28ZM75.00 28L75.00 1.0L100.00 1.0L100.00 28Z";
        assert!(line.contains(area), "{line}");
    }

    #[test]
    fn nothing_is_drawn_of_nothing_or_of_another_time() {
        assert!(!drawn(&[]).contains("path") && drawn(&[]).contains("aria-label=\"Load\""));
        assert!(!drawn(&[(-1, 1.0), (500, 1.0)]).contains("path"));
    }
}
