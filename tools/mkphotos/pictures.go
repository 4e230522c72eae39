package main

import (
	"fmt"
	"image"
	"image/color"
)

// picture is one file of the examples; its name says what it shows.
type picture struct {
	name  string
	write func(path string) error
}

const width, height = 512, 384 // of most pictures, in pixels

// corner is where the shape of the orientation pictures lies when upright.
const cornerX, cornerY = 0.25, 0.3

func pictures() []picture {
	list := orientations()
	return append(list,
		one("blue-ring-alpha.png", func(path string) error {
			return writePNG(path, scene(width, height, clear, clear, thing{ring, blue, 0.5, 0.5, 0.35}))
		}),
		converted("yellow-star-on-blue.webp", []image.Image{
			scene(width, height, blue, blue, thing{star, yellow, 0.5, 0.5, 0.38})}, "-quality", "85"),
		converted("green-triangle.tiff", []image.Image{
			scene(width, height, white, white, thing{triangle, green, 0.5, 0.55, 0.38})}, "-compress", "zip"),
		converted("purple-cross.avif", []image.Image{
			scene(width, height, white, white, thing{cross, purple, 0.5, 0.5, 0.35})}, "-quality", "80"),
		converted("orange-square.heic", []image.Image{
			scene(width, height, white, white, thing{square, orange, 0.5, 0.5, 0.35})}, "-quality", "80"),
		one("black-square-grey.jpg", func(path string) error {
			return writeJPEG(path, greyOf(scene(width, height, grey, white, thing{square, black, 0.5, 0.5, 0.3})), 0)
		}),
		converted("red-star-cmyk.jpg", []image.Image{
			scene(width, height, white, white, thing{star, red, 0.5, 0.5, 0.4})}, "-colorspace", "CMYK", "-quality", "88"),
		one("pink-circle-16-bit.png", func(path string) error {
			return writePNG(path, deep(scene(width, height, white, white, thing{circle, pink, 0.5, 0.5, 0.35})))
		}),
		converted("brown-square-animated.gif", []image.Image{
			scene(width, height, white, white, thing{square, brown, 0.5, 0.5, 0.35}),
			scene(width, height, white, white, thing{circle, green, 0.5, 0.5, 0.35})}, "-delay", "50"),
		converted("red-ring-animated.webp", []image.Image{
			scene(width, height, white, white, thing{ring, red, 0.5, 0.5, 0.35}),
			scene(width, height, black, black, thing{square, cyan, 0.5, 0.5, 0.35})}, "-delay", "50", "-define", "webp:lossless=true"),
		one("black-triangle.bmp", func(path string) error {
			return writeBMP(path, scene(192, 144, white, white, thing{triangle, black, 0.5, 0.55, 0.38}))
		}),
		one("red circle and blue square 🎈.jpg", func(path string) error {
			return writeJPEG(path, scene(width, height, white, white,
				thing{circle, red, 0.28, 0.5, 0.26}, thing{square, blue, 0.72, 0.5, 0.28}), 0)
		}),
		one("album/green-triangle-yellow-star-purple-ring.jpg", func(path string) error {
			return writeJPEG(path, scene(640, 320, white, white, thing{triangle, green, 0.18, 0.55, 0.28},
				thing{star, yellow, 0.5, 0.5, 0.3}, thing{ring, purple, 0.82, 0.5, 0.26}), 0)
		}),
		one("album/green-hills-under-a-blue-sky.jpg", func(path string) error {
			return writeJPEG(path, hills(640, 427), 0)
		}),
		one("album/sunset-over-the-sea.jpg", func(path string) error {
			return writeJPEG(path, sunset(640, 427), 0)
		}),
	)
}

// orientations are eight pictures stored in the eight ways EXIF knows. Upright,
// each has its shape at the top left.
func orientations() []picture {
	shapes := []struct {
		name       string
		shape      shape
		colour     color.NRGBA
		top, floor color.NRGBA
	}{
		{"red-circle", circle, red, white, white},
		{"green-square", square, green, white, white},
		{"blue-triangle", triangle, blue, white, white},
		{"orange-star", star, orange, black, black},
		{"purple-ring", ring, purple, white, white},
		{"yellow-circle", circle, yellow, blue, color.NRGBA{0, 0, 90, 255}},
		{"pink-square", square, pink, color.NRGBA{90, 90, 90, 255}, color.NRGBA{90, 90, 90, 255}},
		{"black-cross", cross, black, cyan, white},
	}
	var list []picture
	for i, s := range shapes {
		list = append(list, one(fmt.Sprintf("%s-orientation-%d.jpg", s.name, i+1), func(path string) error {
			return writeJPEG(path, scene(width, height, s.top, s.floor,
				thing{s.shape, s.colour, cornerX, cornerY, 0.22}), i+1)
		}))
	}
	return list
}

func one(name string, write func(string) error) picture { return picture{name, write} }

func converted(name string, images []image.Image, args ...string) picture {
	return picture{name, func(path string) error { return convert(path, images, args...) }}
}
