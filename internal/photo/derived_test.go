package photo

import (
	"fmt"
	"slices"
	"testing"
)

// walkedWith walks with options and returns what was found and what was not.
func walkedWith(tb testing.TB, root string, opts WalkOptions) (found []string, out LeftOut) {
	tb.Helper()
	opts.LeftOut = &out
	opts.Problem = func(p Problem) { tb.Errorf("%+v", p) }
	err := Walk(tb.Context(), root, opts, func(rel string) error {
		found = append(found, rel)
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return found, out
}

// rules are a list's kinds with their counts.
func rules(list []Tally) (text []string) {
	for _, t := range list {
		text = append(text, fmt.Sprintf("%s %d", t.Of, t.Count))
	}
	return text
}

func TestFoldersOfPrograms(t *testing.T) {
	const id = "0c9f0b5e-7c35-4f4f-9d7c-6b1f7a1f8e55"
	for _, c := range []struct {
		name        string
		files, want []string
		rules       []string
	}{
		{"Apple Photos", []string{"P.photoslibrary/originals/A/1.heic", "P.photoslibrary/resources/derivatives/A/1_1_105_c.jpeg",
			"P.photoslibrary/resources/renders/A/1_1_201_a.jpeg", "P.photoslibrary/scopes/cloudsharing/data/2.jpg", "P.photoslibrary/private/3.jpg",
			"P.photoslibrary/external/4.jpg", "My Library.PhotosLibrary/Masters/2016/5.JPG", "My Library.PhotosLibrary/Thumbnails/2016/5.jpg"},
			[]string{"My Library.PhotosLibrary/Masters/2016/5.JPG", "P.photoslibrary/originals/A/1.heic"}, []string{"Apple Photos 5"}},
		{"Apple Photos under another name", []string{"copied/originals/1.heic", "copied/database/Photos.sqlite", "copied/private/x", "copied/resources/1.jpg"},
			[]string{"copied/originals/1.heic"}, []string{"Apple Photos 2"}},
		{"iPhoto", []string{"iPhoto Library.photolibrary/Masters/1.jpg", "iPhoto Library.photolibrary/Previews/1.jpg", "A.aplibrary/Thumbnails/1.jpg",
			"old/AlbumData.xml", "old/Originals/2.jpg", "old/Data/2.jpg", "old/Modified/2.jpg"},
			[]string{"iPhoto Library.photolibrary/Masters/1.jpg", "old/Modified/2.jpg", "old/Originals/2.jpg"}, []string{"iPhoto or Aperture 3"}},
		{"Lightroom", []string{"Catalog Previews.lrdata/a/1.jpg", "Catalog Smart Previews.lrdata/1.dng", "L.lrlibrary/ab/originals/2.jpg", "L.lrlibrary/ab/previews/2.jpg"},
			[]string{"L.lrlibrary/ab/originals/2.jpg"}, []string{"Lightroom previews 3"}},
		{"Immich", []string{"immich/upload/" + id + "/aa/1.jpg", "immich/thumbs/" + id + "/aa/bb/1-preview.jpeg", "immich/encoded-video/" + id + "/x.jpg", "immich/library/admin/2.jpg"},
			[]string{"immich/library/admin/2.jpg", "immich/upload/" + id + "/aa/1.jpg"}, []string{"Immich 2"}},
		{"Immich by its mark", []string{"library/1.jpg", "thumbs/.immich", "thumbs/1.jpg"}, []string{"library/1.jpg"}, []string{"Immich 1"}},
		{"Immich by its names", []string{"library/1.jpg", "thumbs/u/aa/1_thumbnail.webp"}, []string{"library/1.jpg"}, []string{"Immich 1"}},
		{"Nextcloud", []string{"data/appdata_oc1x/preview/1/256-256.jpg", "data/me/files/1.jpg", "data/me/files_trashbin/files/2.jpg.d1600000", "data/me/files_versions/1.jpg.v1600000",
			"own/cache/x", "own/files/3.jpg", "own/thumbnails/3.png"},
			[]string{"data/me/files/1.jpg", "own/files/3.jpg"}, []string{"Nextcloud previews 2", "older versions 1", "trash 1"}},
		{"servers at home", []string{"@eaDir/1.jpg/SYNOPHOTO_THUMB_M.jpg", "#recycle/1.jpg", "a/.@__thumb/1.jpg", "@Recycle/1.jpg", "#snapshot/1.jpg", "a/1.jpg"},
			[]string{"a/1.jpg"}, []string{"trash 2", "Synology thumbnails 1", "snapshots 1", "thumbnails 1"}},
		{"bins", []string{".Trash-1000/files/1.jpg", "$RECYCLE.BIN/S-1-5-21/1.jpg", "$Recycle.Bin2/2.jpg", "RECYCLER/S-1-5-21-1/3.jpg", ".dtrash/4.jpg", ".Trashes/5.jpg", "System Volume Information/6.jpg"},
			[]string{"$Recycle.Bin2/2.jpg"}, []string{"trash 5", "snapshots 1"}},
		{"other galleries", []string{"pp/cache/thumbnails/1.jpg", "pp/sidecar/1.CR2.jpg", "pp/config/x", "pp/originals/1.CR2", "piwigo/_data/i/upload/1-th.jpg", "piwigo/upload/1.jpg",
			"lychee/thumb/1.jpg", "lychee/small/1.jpg", "lychee/medium/1.jpg", "lychee/original/1.jpg", "protected_media/square_thumbnails_small/1.webp"},
			[]string{"lychee/original/1.jpg", "piwigo/upload/1.jpg", "pp/originals/1.CR2"}, []string{"Lychee 3", "PhotoPrism 2", "LibrePhotos 1", "Piwigo 1"}},
		{"desktop programs", []string{"a/.thumbnails/1.jpg", "darktable/mipmaps-0123abcd.d/2/1.jpg", "shotwell/thumbs/thumbs128/1.png", "Bridge CC/Cache/256/1.jpg",
			"Session/Capture/CaptureOne/Cache/1.jpg", "Session/Capture/1.IIQ"},
			[]string{"Session/Capture/1.IIQ"}, []string{"Adobe Bridge 1", "Capture One 1", "Shotwell 1", "darktable 1", "thumbnails 1"}},
		{"hidden", []string{".a/1.jpg", "b/.picasaoriginals/2.jpg", "b/2.jpg", ".git/x"},
			[]string{"b/.picasaoriginals/2.jpg", "b/2.jpg"}, []string{"hidden 2"}},
		{"folders of people", []string{"thumbs/1.jpg", "resources/1.jpg", "scopes/1.jpg", "cache/1.jpg", "preview/1.jpg", "previews/1.jpg", "upload/1.jpg", "originals/1.jpg",
			"Recycled/art.jpg", "small/1.jpg", "medium/1.jpg", "data/1.jpg", "private/1.jpg", "sidecar/1.jpg", "i/1.jpg", "full/1.jpg", "files/1.jpg",
			"x.lrdata old/1.jpg", "my @eaDir/1.jpg", "photoslibrary/resources/1.jpg", "trash/1.jpg", "avatar/1.jpg", "encoded-video/1.jpg", "P.photoslibrary/originals/resources/1.jpg"},
			nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := c.want
			if want == nil {
				want = slices.Sorted(slices.Values(c.files))
			}
			found, out := walkedWith(t, tree(t, c.files...), WalkOptions{})
			slices.Sort(found)
			equal(t, found, want...)
			equal(t, rules(out.Folders), c.rules...)
			if len(out.Names)+len(out.Cloud)+len(out.Excluded) > 0 {
				t.Errorf("%+v", out)
			}
		})
	}
}

// A folder that somebody names is described, whatever it is in, but the rules
// know the library that it is.
func TestRootOfAProgram(t *testing.T) {
	root := tree(t, "P.photoslibrary/originals/1.jpg", "P.photoslibrary/resources/derivatives/2.jpg")
	found, _ := walkedWith(t, root+"/P.photoslibrary/resources", WalkOptions{})
	equal(t, found, "derivatives/2.jpg")
	found, out := walkedWith(t, root+"/P.photoslibrary", WalkOptions{})
	equal(t, found, "originals/1.jpg")
	equal(t, rules(out.Folders), "Apple Photos 1")
	link(t, "P.photoslibrary", root+"/link")
	found, _ = walkedWith(t, root+"/link", WalkOptions{})
	equal(t, found, "originals/1.jpg")
	t.Chdir(root + "/P.photoslibrary")
	found, _ = walkedWith(t, ".", WalkOptions{})
	equal(t, found, "originals/1.jpg")
}

func TestTrialTrees(t *testing.T) {
	found, out := walkedWith(t, "testdata/photo-library-derivatives", WalkOptions{})
	equal(t, found, "Photos Library.photoslibrary/originals/A/A1B2.jpeg", "immich/upload/u/aa/x.jpg")
	equal(t, rules(out.Folders), "Apple Photos 1", "Immich 1", "Nextcloud previews 1")

	found, out = walkedWith(t, "testdata/names-left-out", WalkOptions{})
	equal(t, found, "DSC0001.HIF", "DSCF1.MPO", "IMG_2.jpg_large", "IMG_3.jp", "VR.insp", "one/ok.png")
	equal(t, rules(out.Cloud), "iCloud 1")
	if len(out.Names)+len(out.Folders)+len(out.Excluded) > 0 {
		t.Errorf("%+v", out)
	}
}

func TestNamesByContent(t *testing.T) {
	root := tree(t, "a.mpo", "b.jpg.part", "c.jpg~", "d.jpg(1)", "e.raw", ".f.jpg", "g.psd", "h.jpg.cloud", "._i.jpg", "j.txt", "B.PSD", "k.jpg.xmp")
	write := func(name, data string) {
		t.Helper()
		if err := writeFile(root+"/"+name, data); err != nil {
			t.Fatal(err)
		}
	}
	write("l.mpo", "\xff\xd8\xff\xe1")
	write("m.jpg(1)", "\x89PNG\r\n\x1a\n")
	write("n.raw", "II*\x00")
	write("o.txt", "\xff\xd8\xff\xe1")
	write("p.dib", "BMP stands for bitmap")
	write("q.dib", "BM\x00\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00")
	write("r.mpo", "")
	if err := mkfifo(root + "/s.mpo"); err != nil {
		t.Fatal(err)
	}
	link(t, "o.txt", root+"/t.jpg_large")
	found, out := walkedWith(t, root, WalkOptions{})
	equal(t, found, "l.mpo", "m.jpg(1)", "n.raw", "q.dib", "t.jpg_large")
	equal(t, rules(out.Names), ".mpo 2", ".psd 2", ".dib 1", ".jpg(N) 1", ".jpg.part 1", ".jpg~ 1", "hidden (.NAME) 1")
	equal(t, rules(out.Cloud), "odrive 1")

	// What is known is not opened.
	known := func(rel string) bool { return rel == "a.mpo" }
	found, _ = walkedWith(t, root, WalkOptions{Known: known})
	equal(t, found, "a.mpo", "l.mpo", "m.jpg(1)", "n.raw", "q.dib", "t.jpg_large")
}

func TestWindowsPlaceholder(t *testing.T) {
	root := tree(t, "a.jpg")
	link(t, "unsupported reparse tag 0x9000601a", root+"/b.jpg")
	link(t, "unsupported reparse tag 0x9000001A", root+"/c.txt")
	found, out := walkedWith(t, root, WalkOptions{})
	equal(t, found, "a.jpg")
	equal(t, rules(out.Cloud), "OneDrive or another Windows drive 1")
}

func TestTallyIsBounded(t *testing.T) {
	var list []Tally
	for i := range 1000 {
		list = addTally(list, fmt.Sprint(i), "x")
	}
	if len(list) != maxKinds || list[maxKinds-1].Of != otherKinds || list[maxKinds-1].Count != 1000-maxKinds+1 {
		t.Errorf("%d kinds, the last %+v", len(list), list[len(list)-1])
	}
}
