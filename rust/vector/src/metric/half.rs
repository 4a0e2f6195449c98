//! IEEE 754 binary16 as bits: rounds to nearest, ties to even, as the hardware does.
#![expect(clippy::cast_possible_truncation, reason = "what is cut off is zero")]

/// The bits of the nearest f16; what is too large becomes infinite.
#[must_use]
pub fn from_f32(value: f32) -> u16 {
    let bits = value.to_bits();
    let sign = ((bits >> 16) & 0x8000) as u16;
    let magnitude = bits & 0x7fff_ffff;
    if magnitude >= 0x7f80_0000 {
        return sign | if magnitude > 0x7f80_0000 { 0x7e00 } else { 0x7c00 };
    }
    if magnitude >= 0x477f_f000 {
        return sign | 0x7c00; // 65,520 and above round away from the largest number
    }
    if magnitude < 0x3880_0000 {
        // Below 2^-14: in units of 2^-24. Adding 0.5 lines the unit up with the last bit of an f32, which rounds.
        let units = f32::from_bits(magnitude) + 0.5;
        return sign | (units.to_bits() - 0.5_f32.to_bits()) as u16;
    }
    let odd = (magnitude >> 13) & 1;
    sign | ((magnitude - 0x3800_0000 + 0xfff + odd) >> 13) as u16
}

/// The value of the bits of an f16.
#[inline]
#[must_use]
pub fn to_f32(bits: u16) -> f32 {
    let sign = u32::from(bits & 0x8000) << 16;
    let magnitude = u32::from(bits & 0x7fff) << 13;
    let value = match magnitude >> 23 {
        0 => return f32::from_bits(sign | (magnitude as f32 * 2.0_f32.powi(-37)).to_bits()),
        0x1f => magnitude | 0x7f80_0000,
        _ => magnitude + 0x3800_0000,
    };
    f32::from_bits(sign | value)
}

#[cfg(test)]
mod tests {
    use super::{from_f32, to_f32};

    #[test]
    fn every_f16_survives_the_way_to_f32_and_back() {
        for bits in 0..=u16::MAX {
            let value = to_f32(bits);
            if value.is_nan() {
                assert!(to_f32(from_f32(value)).is_nan());
            } else {
                assert_eq!(from_f32(value), bits, "{value}");
            }
        }
    }

    #[test]
    fn a_value_between_two_goes_to_the_nearest_and_a_tie_to_the_even_one() {
        for bits in 0..0x7bff_u16 {
            let (low, high) = (to_f32(bits), to_f32(bits + 1));
            let middle = f32::midpoint(low, high);
            assert_eq!(from_f32(middle), bits + (bits & 1), "{middle}");
            assert_eq!(from_f32(f32::from_bits(middle.to_bits() - 1)), bits);
            assert_eq!(from_f32(f32::from_bits(middle.to_bits() + 1)), bits + 1);
        }
    }

    #[test]
    fn the_ends_are_ieee() {
        assert_eq!(from_f32(65_519.0), 0x7bff);
        assert_eq!(from_f32(-65_520.0), 0xfc00);
        assert_eq!(from_f32(f32::INFINITY), 0x7c00);
        assert_eq!(to_f32(0x7c00).to_bits(), f32::INFINITY.to_bits());
        assert_eq!(from_f32(-0.0), 0x8000);
        assert_eq!(from_f32(2.0_f32.powi(-26)), 0);
    }
}
