package xmp

// The namespaces that are read or written, and the prefixes that are written. Ours is no
// address, because nothing can be fetched there.
const (
	nsRDF       = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
	nsXML       = "http://www.w3.org/XML/1998/namespace"
	nsMeta      = "adobe:ns:meta/"
	nsOwn       = "urn:x-photodesc:xmp:1.0/"
	nsDC        = "http://purl.org/dc/elements/1.1/"
	nsTIFF      = "http://ns.adobe.com/tiff/1.0/"
	nsPhotoshop = "http://ns.adobe.com/photoshop/1.0/"
	nsIPTC      = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
	nsDigiKam   = "http://www.digikam.org/ns/1.0/"
	nsLightroom = "http://ns.adobe.com/lightroom/1.0/"
)

// name is of a property.
type name struct{ space, local string }

var (
	description      = name{nsDC, "description"}
	subject          = name{nsDC, "subject"}
	imageDescription = name{nsTIFF, "ImageDescription"}
	captionWriter    = name{nsPhotoshop, "CaptionWriter"}
	altText          = name{nsIPTC, "AltTextAccessibility"}
	tagsList         = name{nsDigiKam, "TagsList"}
	hierarchical     = name{nsLightroom, "hierarchicalSubject"}
	sidecarFor       = name{nsPhotoshop, "SidecarForExtension"}
)

// prefixes are written in this order; all of them, so that the block depends on nothing
// around it.
var prefixes = []struct{ prefix, space string }{
	{"rdf", nsRDF}, {"photodesc", nsOwn}, {"dc", nsDC}, {"tiff", nsTIFF}, {"photoshop", nsPhotoshop},
	{"Iptc4xmpCore", nsIPTC}, {"digiKam", nsDigiKam}, {"lr", nsLightroom},
}

// seedPrefixes are those of fields that a new sidecar takes over from EXIF and IPTC.
var seedPrefixes = map[string]string{"dc": nsDC, "photoshop": nsPhotoshop, "Iptc4xmpCore": nsIPTC}

// written is the name as the block has it, "dc:description".
func (n name) written() string {
	for _, p := range prefixes {
		if p.space == n.space {
			return p.prefix + ":" + n.local
		}
	}
	return n.local
}
