package ifd

// The tags that are read.
const (
	PanasonicJPEG   = 0x002e // RW2: its bytes are the preview
	NewSubfileType  = 254
	SubfileType     = 255
	ImageWidth      = 256
	ImageLength     = 257
	BitsPerSample   = 258
	Compression     = 259
	Photometric     = 262
	StripOffsets    = 273
	Orientation     = 274
	SamplesPerPixel = 277
	RowsPerStrip    = 278
	StripByteCounts = 279
	PlanarConfig    = 284
	TileWidth       = 322
	TileLength      = 323
	TileOffsets     = 324
	TileByteCounts  = 325
	SubIFDs         = 330
	InkSet          = 332
	ExtraSamples    = 338
	SampleFormat    = 339
	Indexed         = 346
	JPEGOffset      = 513 // JPEGInterchangeFormat
	JPEGLength      = 514 // JPEGInterchangeFormatLength
	Profile         = 34675
)
