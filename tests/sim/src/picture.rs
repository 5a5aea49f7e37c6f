//! Storms as pictures.

use std::error::Error;
use std::path::Path;

use plotters::prelude::{
    ChartBuilder, Color as _, IntoDrawingArea as _, IntoLogRange as _, LineSeries, RGBColor, SVGBackend,
};

use crate::storm::{Course, Strategy};

const SIZE: (u32, u32) = (800, 360);
const COLOURS: [RGBColor; 3] =
    [RGBColor(0x1b, 0x7f, 0x3b), RGBColor(0xc0, 0x39, 0x2b), RGBColor(0x2c, 0x5f, 0xa8)];

/// Draws attempts per second, over time, of one storm under each strategy.
///
/// # Errors
/// The file can't be written.
pub fn draw(
    path: &Path,
    title: &str,
    seconds: u32,
    courses: &[(Strategy, Course)],
) -> Result<(), Box<dyn Error>> {
    let area = SVGBackend::new(path, SIZE).into_drawing_area();
    area.fill(&RGBColor(255, 255, 255))?;
    let peak = courses.iter().map(|(_, course)| course.peak()).max().unwrap_or(1).max(10);
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 16))
        .margin(10)
        .x_label_area_size(36)
        .y_label_area_size(72)
        .build_cartesian_2d(0..seconds, (1..peak * 2).log_scale())?;
    chart
        .configure_mesh()
        .x_desc("seconds since the server was lost")
        .y_desc("attempts to connect per second")
        .draw()?;
    for ((strategy, course), colour) in courses.iter().zip(COLOURS) {
        // A logarithm has no place for none.
        let points = (0..seconds).zip(course.attempts.iter().map(|attempts| (*attempts).max(1)));
        chart.draw_series(LineSeries::new(points, colour.stroke_width(2)))?.label(strategy.name()).legend(
            move |(x, y)| plotters::element::PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)),
        );
    }
    chart.configure_series_labels().background_style(RGBColor(255, 255, 255).mix(0.8)).draw()?;
    area.present()?;
    Ok(())
}
