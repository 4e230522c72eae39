// Package colour turns samples whose transfer curve and primaries a file
// signals by numbers (CICP in HEIF, AVIF and PNG; gAMA and cHRM in PNG) into
// 8-bit sRGB. Pictures that are sRGB already, or near enough, need none of it.
//
// HDR (PQ and HLG) is tone-mapped in three steps, the same for every depth:
//
//  1. Samples become light in units of the reference white of BT.2408,
//     203 cd/m². HLG is taken as on a display of 1,000 cd/m² with the system
//     gamma of 1.2 (BT.2100), where its 75 % are that white.
//  2. Light is converted to sRGB's primaries.
//  3. If light exceeds the white, the largest of the three channels is
//     compressed: unchanged up to 0.75, then rolled off so that the peak becomes
//  1. The peak is what all but half a percent of the pixels stay below. The other
//     two channels are scaled with the largest, which keeps the hue. The white
//     itself stays above 0.87, which is 240 in 8-bit sRGB.
package colour
