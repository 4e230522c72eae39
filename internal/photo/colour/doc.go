// Package colour converts samples to 8-bit sRGB if their file signals another
// transfer curve or other primaries by numbers: CICP in HEIF, AVIF and PNG, gAMA
// and cHRM in PNG. Pictures in sRGB or close to it are not converted.
//
// HDR (PQ and HLG) is tone-mapped in three steps, the same for every bit depth:
//
//  1. Samples are converted to light in units of the reference white of BT.2408,
//     203 cd/m². HLG is converted for a display of 1,000 cd/m² with the system
//     gamma of 1.2 (BT.2100), on which a signal of 75 % is that white.
//  2. Light is converted to sRGB's primaries.
//  3. If light exceeds the reference white, the largest of the three channels is
//     compressed. It is unchanged up to 0.75 and rolled off above, so that the
//     peak becomes 1.0. At most half a percent of the pixels exceed the peak. The
//     other two channels are scaled by the same factor, which keeps the hue. The
//     reference white stays above 0.87, which is 240 in 8-bit sRGB.
package colour
