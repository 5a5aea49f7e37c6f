//! Pictures for the report: SVG, without fonts or bitmaps.

use std::error::Error;
use std::path::Path;

use plotters::chart::SeriesLabelPosition;
use plotters::element::{PathElement, Rectangle};
use plotters::prelude::{
    ChartBuilder, Circle, Color as _, IntoDrawingArea as _, IntoLogRange as _, LineSeries, RGBColor,
    SVGBackend,
};
use plotters::style::{BLACK, WHITE};

const SIZE: (u32, u32) = (900, 420);
const COLOURS: [RGBColor; 6] = [
    RGBColor(0x9a, 0x9a, 0x9a),
    RGBColor(0x1b, 0x7f, 0x3b),
    RGBColor(0xc0, 0x39, 0x2b),
    RGBColor(0x2c, 0x5f, 0xa8),
    RGBColor(0xd6, 0x8a, 0x00),
    RGBColor(0x7b, 0x3f, 0x98),
];

pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

/// Numbers as people write them: 20, 3k, 1.5M.
fn short(number: f64) -> String {
    let (number, unit) = match number {
        1e6.. => (number / 1e6, "M"),
        1e3.. => (number / 1e3, "k"),
        _ => (number, ""),
    };
    format!("{}{unit}", (number * 100.0).round() / 100.0)
}

/// Curves over logarithmic axes: what is flat shows as flat, what is linear as a slope of one.
pub(crate) fn lines(
    path: &Path,
    title: &str,
    x: &str,
    y: &str,
    lines: &[Line],
) -> Result<(), Box<dyn Error>> {
    let points = || lines.iter().flat_map(|line| &line.points).copied();
    let (most_x, most_y) = points().fold((10.0_f64, 0.1_f64), |most, (x, y)| (most.0.max(x), most.1.max(y)));
    let least_y = points().fold(most_y, |least, (_, y)| least.min(y)).max(0.01);
    // Whole decades, with room for the legend on top.
    let decade = |power: f64| 10_f64.powf(power);
    let y_range = decade(least_y.log10().floor())..decade((most_y * 2.0).log10().ceil());
    let area = SVGBackend::new(path, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(42)
        .y_label_area_size(72)
        .build_cartesian_2d((1.0..most_x * 1.2).log_scale(), y_range.log_scale())?;
    let label = |number: &f64| short(*number);
    chart.configure_mesh().x_desc(x).y_desc(y).x_label_formatter(&label).y_label_formatter(&label).draw()?;
    for (line, colour) in lines.iter().zip(COLOURS.into_iter().skip(1)) {
        chart
            .draw_series(LineSeries::new(line.points.iter().copied(), colour.stroke_width(2)))?
            .label(line.name.as_str())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
        chart.draw_series(line.points.iter().map(|point| Circle::new(*point, 3, colour.filled())))?;
    }
    let mut legend = chart.configure_series_labels();
    legend
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    area.present()?;
    Ok(())
}

/// Groups of bars over a logarithmic axis.
pub(crate) fn bars(
    path: &Path,
    title: &str,
    groups: &[&str],
    bars: &[(&str, Vec<f64>)],
) -> Result<(), Box<dyn Error>> {
    let all = || bars.iter().flat_map(|(_, values)| values).copied();
    let most = all().fold(10.0, f64::max);
    let least = 10_f64.powf(all().fold(most, f64::min).max(1.0).log10().floor());
    let area = SVGBackend::new(path, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(72)
        .build_cartesian_2d(0.0..groups.len() as f64, (least..most * 3.0).log_scale())?;
    // A group has the middle of its unit; labels stand there.
    let label = |at: &f64| {
        let index = at.floor();
        let is_middle = (at - index - 0.5).abs() < 0.01;
        groups.get(index as usize).filter(|_| is_middle).map_or_else(String::new, |group| (*group).into())
    };
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(2 * groups.len() + 1)
        .x_label_formatter(&label)
        .y_label_formatter(&|number| short(*number))
        .draw()?;
    let width = 0.8 / bars.len().max(1) as f64;
    for (index, ((name, values), colour)) in bars.iter().zip(COLOURS).enumerate() {
        let left = |group: usize| group as f64 + 0.1 + width * index as f64;
        let bar = |(group, value): (usize, &f64)| {
            Rectangle::new([(left(group), least), (left(group) + width * 0.9, *value)], colour.filled())
        };
        chart
            .draw_series(values.iter().enumerate().map(bar))?
            .label(*name)
            .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 14, y + 5)], colour.filled()));
    }
    let mut legend = chart.configure_series_labels();
    legend
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    area.present()?;
    Ok(())
}
