//! Concatenations: taking parts out, joining neighbours, operating part by part.

use super::expr::{Expr, Op, Read};

/// Appends a part below the others, joined with the last one where the two are neighbours.
pub(super) fn push_joined(parts: &mut Vec<Expr>, part: Expr) {
    if part.width() == 0 {
        return;
    }
    let joined = match (parts.last(), &part) {
        (Some(Expr::Const(high)), Expr::Const(low)) => Some(Expr::Const(high.above(low))),
        (Some(Expr::Read(high)), Expr::Read(low))
            if high.net == low.net && high.at == low.at && low.lsb + low.width == high.lsb =>
        {
            Some(Expr::Read(Read { width: high.width + low.width, ..low.clone() }))
        }
        _ => None,
    };
    match joined {
        Some(joined) => {
            parts.pop();
            parts.push(joined);
        }
        None => parts.push(part),
    }
}

/// `width` bits from `lsb` on of parts side by side.
pub(super) fn slice_parts(parts: Vec<Expr>, lsb: usize, width: usize) -> Expr {
    let mut kept = Vec::new();
    let mut bottom = 0;
    for part in parts.into_iter().rev() {
        let own = part.width();
        let from = lsb.max(bottom);
        let to = (lsb + width).min(bottom + own);
        if from < to {
            kept.push(part.slice(from - bottom, to - from));
        }
        bottom += own;
    }
    Expr::concat(kept.into_iter().rev())
}

/// Where the parts of an expression begin, from bit 0 on.
fn boundaries(expr: &Expr) -> Vec<usize> {
    let Expr::Concat(parts) = expr else { return vec![0] };
    let mut bottom = 0;
    parts
        .iter()
        .rev()
        .map(|part| {
            let begin = bottom;
            bottom += part.width();
            begin
        })
        .collect()
}

/// An operation on concatenations with constant parts, done part by part. `None`: it would not become simpler.
pub(super) fn by_parts(op: Op, left: &Expr, right: &Expr) -> Option<Vec<Expr>> {
    let has_constant = |expr: &Expr| match expr {
        Expr::Concat(parts) => {
            parts.iter().any(|part| matches!(part, Expr::Const(value) if value.is_zero() || value.is_ones()))
        }
        _ => false,
    };
    if !has_constant(left) && !has_constant(right) {
        return None;
    }
    let width = left.width();
    let mut cuts: Vec<usize> = boundaries(left).into_iter().chain(boundaries(right)).collect();
    cuts.sort_unstable();
    cuts.dedup();
    cuts.push(width);
    for side in [left, right] {
        let whole: &[Expr] = match side {
            Expr::Concat(parts) => parts,
            other => std::slice::from_ref(other),
        };
        let mut top = width;
        for part in whole {
            let bottom = top - part.width();
            let is_cut = cuts.iter().any(|&cut| bottom < cut && cut < top);
            if is_cut && !part.is_divisible() {
                return None;
            }
            top = bottom;
        }
    }
    let segments = cuts.windows(2).rev().map(|pair| {
        let (lsb, width) = (pair[0], pair[1] - pair[0]);
        Expr::bitwise(op, left.clone().slice(lsb, width), right.clone().slice(lsb, width))
    });
    Some(segments.collect())
}
