package heif

import (
	"encoding/binary"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/av1"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"

	"photodesc/internal/photo/colour"
)

// fromCodec returns the code points in the headers of the coded picture that the
// file has in a property: the SPS in "hvcC", the sequence header in "av1C".
func fromCodec(properties []property) (cicp colour.CICP, ok bool) {
	for _, p := range properties {
		switch p.kind {
		case "hvcC":
			return fromSPS(hevcSPS(p.data))
		case "av1C":
			return fromSequenceHeader(p.data)
		}
	}
	return colour.CICP{}, false
}

// hevcSPS returns the first SPS of an HEVCDecoderConfigurationRecord
// (ISO/IEC 14496-15), or nil.
func hevcSPS(record []byte) []byte {
	const fixed, kindSPS = 22, 33
	c := cursor{data: record}
	c.take(fixed)
	for range c.take(1)[0] {
		kind := c.take(1)[0] & 0x3f
		for range c.number(false) {
			unit := c.take(int(c.number(false)))
			if c.overrun {
				return nil
			}
			if kind == kindSPS {
				return unit
			}
		}
	}
	return nil
}

func fromSPS(unit []byte) (cicp colour.CICP, ok bool) {
	var sps h265.SPS
	// Fields after the colours may be damaged.
	if err := sps.Unmarshal(unit); err != nil && sps.VUI == nil {
		return colour.CICP{}, false
	}
	if v := sps.VUI; v != nil && v.ColourDescriptionPresentFlag {
		return colour.CICP{Primaries: v.ColourPrimaries, Transfer: v.TransferCharacteristics}, true
	}
	return colour.CICP{}, false
}

// fromSequenceHeader reads the sequence header of an AV1CodecConfigurationRecord,
// which may lack one.
func fromSequenceHeader(record []byte) (cicp colour.CICP, ok bool) {
	const fixed = 4
	if len(record) < fixed+2 {
		return colour.CICP{}, false
	}
	obu := record[fixed:]
	var head av1.OBUHeader
	if head.Unmarshal(obu) != nil || head.Type != av1.OBUTypeSequenceHeader {
		return colour.CICP{}, false
	}
	if head.HasSize { // others may follow
		size, n := binary.Uvarint(obu[1:])
		if n < 1 || size > uint64(len(obu)-1-n) {
			return colour.CICP{}, false
		}
		obu = obu[:1+n+int(size)]
	}
	var h av1.SequenceHeader
	if h.Unmarshal(obu) != nil || !h.ColorConfig.ColorDescriptionPresentFlag {
		return colour.CICP{}, false
	}
	return colour.CICP{
		Primaries: uint8(h.ColorConfig.ColorPrimaries),
		Transfer:  uint8(h.ColorConfig.TransferCharacteristics),
	}, true
}
