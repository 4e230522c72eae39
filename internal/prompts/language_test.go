package prompts

import (
	"slices"
	"strings"
	"testing"
)

func TestParseLanguage(t *testing.T) {
	for given, want := range map[string]Language{
		"": "", "de": "de", "DE": "de", "de-AT": "de-AT", "pt-br": "pt-BR", "zh-hant": "zh-Hant", "zh-TW": "zh-TW", "deu": "de",
		"en": "en", "en-GB": "en-GB", "sr-Latn": "sr-Latn", "tlh": "tlh", "yue": "yue", "iw": "he",
	} {
		if got, err := ParseLanguage(given); err != nil || got != want {
			t.Errorf("%q: %q, %v, want %q", given, got, err, want)
		}
	}
	for _, given := range []string{"german", "und", "mul", "zxx", "x-private", "xx", "de_", "d", "-de", "de\n", "de de", "\xff", "deutsch!", strings.Repeat("de-", 300) + "de", "12", "zxx\x00"} {
		if got, err := ParseLanguage(given); err == nil || !strings.Contains(err.Error(), "give a tag such as") {
			t.Errorf("%q: %q, %v", given, got, err)
		}
	}
}

func TestAsk(t *testing.T) {
	const text = "Describe this image in detail."
	for l, want := range map[Language]string{
		"": "", "en": "", "en-GB": "",
		"de": "Antworte auf Deutsch.", "ja": "日本語で答えてください。", "zh": "请用中文回答。",
		"zh-CN": "请用中文回答。", "zh-TW": "請用繁體中文回答。", "zh-Hant": "請用繁體中文回答。", "zh-Hans": "请用中文回答。",
		"pt-BR": "Answer in Brazilian Portuguese.", "de-AT": "Answer in Austrian German.", "da": "Answer in Danish.", "pl": "Answer in Polish.",
	} {
		if want != "" {
			want = "\n" + want
		}
		if got := l.Ask(text); got != text+want {
			t.Errorf("%s: %q, want %q", l, got, text+want)
		}
	}
	if all := Languages(); len(all) != 8 {
		t.Errorf("%v", all)
	}
	for _, l := range Languages() {
		if parsed, err := ParseLanguage(string(l)); err != nil || parsed != l || requests[string(l)] == "" || byLanguage[string(l)] == nil || l.Name() == "" {
			t.Errorf("%s is not complete: %v", l, err)
		}
	}
}

// What models put before, or around, a description in each language; and what only looks like it.
func TestCleanLanguages(t *testing.T) {
	for _, c := range []struct {
		l            Language
		answer, want string
	}{
		{"de", "Das Bild zeigt einen Hund am Strand. Im Hintergrund ist das Meer.", "Einen Hund am Strand. Im Hintergrund ist das Meer."},
		{"de", "Dieses Foto zeigt auch eine Katze.", "Eine Katze."},
		{"de", "Auf dem Bild ist ein Hund zu sehen. Er rennt.", "Ein Hund. Er rennt."},
		{"de", "Auf dem Foto sind zwei Frauen zu sehen, die lachen.", "Zwei Frauen, die lachen."},
		{"de", "Auf dem Bild sieht man einen Turm.", "Einen Turm."},
		{"de", "Hier ist eine Beschreibung des Bildes: Ein Hund schläft.", "Ein Hund schläft."},
		{"de", "Bildbeschreibung: Ein Hund schläft.", "Ein Hund schläft."},
		{"de", "Außerdem zeigt das Bild einen Baum.", "Einen Baum."},
		{"de", "Das Bild an der Wand zeigt ein Schiff.", "Das Bild an der Wand zeigt ein Schiff."},
		{"de", "Auf dem Bild an der Wand ist ein Schiff.", "Auf dem Bild an der Wand ist ein Schiff."},
		{"de", "Das Bildnis zeigt einen Mann.", "Das Bildnis zeigt einen Mann."},
		{"de", "The image shows einen Hund.", "Einen Hund."},
		{"de-AT", "Das Bild zeigt ein Haus, z. B. eine Hütte.", "Ein Haus, z. B. eine Hütte."},
		{"fr", "L'image montre un chien sur la plage. On voit également la mer.", "Un chien sur la plage. La mer."},
		{"fr", "Cette photo représente une église.", "Une église."},
		{"fr", "C’est une photo d’un chat noir.", "Un chat noir."},
		{"fr", "Sur cette image, on peut voir deux enfants.", "Deux enfants."},
		{"fr", "Voici une description de l'image : Un chien dort.", "Un chien dort."},
		{"fr", "L'image accrochée au mur montre un bateau.", "L'image accrochée au mur montre un bateau."},
		{"fr", "C'est une photo de famille.", "C'est une photo de famille."},
		{"es", "La imagen muestra un perro en la playa.", "Un perro en la playa."},
		{"es", "En la imagen se puede ver una montaña.", "Una montaña."},
		{"es", "Esta es una fotografía de dos niños.", "Dos niños."},
		{"es", "En la imagen hay un gato.", "Hay un gato."},
		{"es", "En la foto de la pared hay un barco.", "En la foto de la pared hay un barco."},
		{"it", "L'immagine mostra un cane sulla spiaggia.", "Un cane sulla spiaggia."},
		{"it", "Nella foto si vede una chiesa.", "Una chiesa."},
		{"it", "Nell’immagine ci sono due gatti.", "Ci sono due gatti."},
		{"it", "L'immagine sul muro mostra una nave.", "L'immagine sul muro mostra una nave."},
		{"pt", "A imagem mostra um cachorro na praia.", "Um cachorro na praia."},
		{"pt-BR", "Na foto, podemos ver uma igreja.", "Uma igreja."},
		{"pt", "Nesta imagem há dois gatos.", "Há dois gatos."},
		{"pt", "A imagem na parede mostra um navio.", "A imagem na parede mostra um navio."},
		{"nl", "De afbeelding toont een hond op het strand.", "Een hond op het strand."},
		{"nl", "Op de foto is een kerk te zien. Het regent.", "Een kerk. Het regent."},
		{"nl", "De afbeelding laat een kat zien, die slaapt.", "Een kat, die slaapt."},
		{"nl", "De foto aan de muur toont een schip.", "De foto aan de muur toont een schip."},
		{"ja", "この画像には、犬が写っています。背景は海です。", "犬が写っています。背景は海です。"},
		{"ja", "写真では猫が寝ています。", "猫が寝ています。"},
		{"ja", "画像の説明：犬が走っています。", "犬が走っています。"},
		{"ja", "この絵本は古いです。", "この絵本は古いです。"},
		{"zh", "这张图片展示了一只狗在海滩上奔跑。背景是大海。", "一只狗在海滩上奔跑。背景是大海。"},
		{"zh", "在这张照片中，可以看到两个孩子。", "两个孩子。"},
		{"zh-Hant", "這張圖片展示了一隻狗。", "一隻狗。"},
		{"zh", "图中有一只猫。", "有一只猫。"},
		{"zh", "图片描述：一只猫。", "一只猫。"},
		{"zh", "墙上的图片展示了一艘船。", "墙上的图片展示了一艘船。"},
		// Without the language nothing but English is known.
		{"", "Das Bild zeigt einen Hund.", "Das Bild zeigt einen Hund."},
		{"da", "Billedet viser en hund.", "Billedet viser en hund."},
	} {
		got := Clean(c.answer, false, c.l)
		if got != c.want {
			t.Errorf("%s %q:\n got %q\nwant %q", c.l, c.answer, got, c.want)
		}
		if again := Clean(got, false, c.l); again != got {
			t.Errorf("%s: cleaned again: %q", c.l, again)
		}
	}
	if got := List("Stichwörter: Hund, Strand, Meer", false, "de"); !slices.Equal(got, []string{"Hund", "Strand", "Meer"}) {
		t.Errorf("%q", got)
	}
	if got := List("关键词：狗、海滩，大海", false, "zh"); !slices.Equal(got, []string{"狗", "海滩", "大海"}) {
		t.Errorf("%q", got)
	}
}
