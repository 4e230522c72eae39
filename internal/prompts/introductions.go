package prompts

import (
	"regexp"
	"slices"
	"sync"
)

// Introductions that models put before a description, by language. The text of a group
// is kept. Letters of every case match; a pattern begins at the start of a sentence.
//
// They are phrases of which nothing is lost: "The image shows", but not "The image on
// the wall shows".

// introduction is a pattern. With around, the groups are what it leaves of the whole
// sentence, where a language puts its verb around the description.
type introduction struct {
	*regexp.Regexp
	around bool
}

// compile makes the introductions when they are first needed: most runs need English alone.
func compile(patterns ...string) func() []introduction {
	return sync.OnceValue(func() []introduction { return expressions(patterns, "", false) })
}

// both joins those before a description and those around it.
func both(before, around []string) func() []introduction {
	return sync.OnceValue(func() []introduction {
		return append(expressions(before, "", false), expressions(around, "$", true)...)
	})
}

func expressions(patterns []string, end string, around bool) (out []introduction) {
	for _, p := range patterns {
		out = append(out, introduction{regexp.MustCompile(`^(?is)` + p + end), around})
	}
	return out
}

// introsIn are the introductions to remove from an answer in a language. Models fall back
// into English, so that English ones are always removed.
func introsIn(l Language) []introduction {
	if of, there := byLanguage[l.Base()]; there {
		return slices.Concat(of(), english())
	}
	return english()
}

const (
	pictureWords = `(?:image|photo|photograph|picture|snapshot)`
	thePicture   = `(?:this|the|that)\s+(?:(?:given|provided|attached)\s+)?` + pictureWords
	showsWords   = `(?:shows|depicts|features|captures|displays|presents|portrays|contains|illustrates|showcases|includes|is\s+showing|is\s+depicting|is\s+of|appears\s+to\s+show|seems\s+to\s+show)`
)

var english = compile(
	`(?:sure|certainly|of course|absolutely|okay|ok)\b(?:\s+thing)?[,.!]+\s*`,
	`(?:here|below)(?:'s|’s|\s+is|\s+are)\s+[^.:!?]{0,80}:\s*`,
	`(?:(?:image|photo|picture)\s+)?(?:description|answer|assistant|caption|alt[ -]?text|summary|scene|keywords?|tags?|response)\s*:\s*`,
	`(?:(?:overall|additionally|also|furthermore|moreover|finally|in addition),?\s+)?`+thePicture+`\s+(?:also\s+|clearly\s+|mainly\s+|primarily\s+|prominently\s+)?`+showsWords+`(?:\s+us)?(?:\s+that)?\s+`,
	thePicture+`\s+is\s+((?:an?|the)\s)`,
	`(?:this|it)\s+is\s+an?\s+`+pictureWords+`\s+(?:of|showing|depicting|that\s+shows|which\s+shows)\s+`,
	`an?\s+`+pictureWords+`\s+(?:of|showing|depicting)\s+`,
	`in\s+(?:this|the)\s+`+pictureWords+`,\s*`,
	`in\s+(?:this|the)\s+`+pictureWords+`\s+((?:there|we|you|one)\s)`,
	`(?:we|you|one)\s+can\s+(?:also\s+)?(?:see|observe)\s+(?:that\s+)?`,
)

const (
	imageDE, theDE = `(?:bild|foto|photo)`, `(?:das|dieses)\s+`
	onDE           = `(?:auf|in)\s+(?:dem|diesem)\s+` + imageDE
	imageFR        = `(?:image|photo|photographie)`
	theFR          = `(?:cette\s+|la\s+|l['’]\s*)`
	imageES, theES = `(?:imagen|foto|fotografía)`, `(?:la|esta)\s+`
	imageIT        = `(?:immagine|foto|fotografia)`
	theIT          = `(?:l['’]\s*|la\s+|questa\s+|quest['’]\s*)`
	inIT           = `(?:nell['’]\s*|nella\s+|in\s+questa\s+|in\s+quest['’]\s*)`
	imagePT, thePT = `(?:imagem|foto|fotografia)`, `(?:a|esta|essa)\s+`
	inPT           = `(?:na|nesta|nessa)\s+`
	imageNL, theNL = `(?:afbeelding|foto|plaatje|beeld)`, `(?:de|deze|het|dit)\s+`
	onNL           = `(?:op|in)\s+(?:de|deze|het|dit)\s+` + imageNL
	imageJA        = `(?:画像|写真|イメージ|絵)`
	imageZH        = `(?:图片|圖片|照片|图像|圖像|画面|畫面|影像)`
	thisZH         = `(?:这|這|该|該)`
)

// byLanguage has the introductions in other languages than English, by their base tags.
var byLanguage = map[string]func() []introduction{
	"de": both([]string{
		`(?:klar|natürlich|gerne|sicher|selbstverständlich)[,.!]+\s*`,
		`hier\s+(?:ist|sind|folgt)\s+[^.:!?]{0,80}:\s*`,
		`(?:(?:bild)?beschreibung|antwort|bildunterschrift|alternativtext|alt-?text|zusammenfassung|stichwörter|schlagwörter|schlüsselwörter|szene)\s*:\s*`,
		`(?:(?:außerdem|zudem|insgesamt|darüber\s+hinaus),?\s+)?(?:zeigt\s+)` + theDE + imageDE + `\s+(?:auch\s+)?`,
		theDE + imageDE + `\s+(?:zeigt|enthält|präsentiert)\s+(?:auch\s+|außerdem\s+|uns\s+)?`,
		theDE + imageDE + `\s+ist\s+((?:ein|eine)\s)`,
		`(?:dies|das|es)\s+ist\s+ein(?:e)?\s+` + imageDE + `(?:\s+von\s+((?:einem|einer|zwei|drei)\s)|,\s+das\s+)`,
		onDE + `\s+(?:sieht\s+man|sehen\s+wir|siehst\s+du|sehen\s+sie)\s+`,
		`(?:man|wir)\s+(?:sieht|sehen|erkennt|erkennen)\s+`,
	}, []string{onDE + `\s+(?:ist|sind)\s+(.+?)\s+zu\s+(?:sehen|erkennen)([.,;!].*)?`}),
	"fr": compile(
		`(?:bien\s+sûr|certainement|d['’]accord|voilà)\s*[,.!]+\s*`,
		`voici\s+[^.:!?]{0,80}:\s*`,
		`(?:description(?:\s+de\s+l['’]image)?|réponse|légende|texte\s+alternatif|résumé|mots[- ]clés|scène)\s*:\s*`,
		theFR+imageFR+`\s+(?:montre|représente|présente|dépeint|illustre|capture)\s+(?:également\s+|aussi\s+)?`,
		theFR+imageFR+`\s+est\s+((?:un|une)\s)`,
		`(?:il\s+s['’]agit\s+d['’]|c['’]est\s+)une\s+`+imageFR+`\s+(?:d['’]((?:un|une)\s)|de\s+((?:deux|trois|plusieurs)\s)|montrant\s+|représentant\s+)`,
		`(?:sur|dans)\s+`+theFR+imageFR+`\s*,\s*`,
		`(?:sur|dans)\s+`+theFR+imageFR+`\s+((?:on|nous|il\s+y\s+a)\s)`,
		`(?:on|nous)\s+(?:voit|voyons|peut\s+voir|pouvons\s+voir|aperçoit|distingue)\s+(?:également\s+|aussi\s+)?`,
	),
	"es": compile(
		`(?:claro|por\s+supuesto|desde\s+luego|ciertamente)[,.!]+\s*`,
		`(?:aquí\s+(?:está|tienes|hay)|esta\s+es)\s+[^.:!?]{0,80}:\s*`,
		`(?:descripción(?:\s+de\s+la\s+imagen)?|respuesta|leyenda|texto\s+alternativo|resumen|palabras\s+clave|escena)\s*:\s*`,
		theES+imageES+`\s+(?:también\s+)?(?:muestra|representa|presenta|captura|retrata|ilustra)\s+`,
		theES+imageES+`\s+es\s+((?:un|una)\s)`,
		`(?:se\s+trata\s+de|(?:esta\s+)?es)\s+una\s+`+imageES+`\s+(?:de\s+((?:un|una|dos|tres|varios|varias)\s)|que\s+muestra\s+)`,
		`en\s+`+theES+imageES+`\s*,\s*`,
		`en\s+`+theES+imageES+`\s+((?:hay|aparecen?|se|podemos)\s)`,
		`(?:se\s+(?:puede\s+(?:ver|observar)|ven?|observan?|aprecian?)|podemos\s+ver|vemos)\s+(?:también\s+)?`,
	),
	"it": compile(
		`(?:certo|certamente|naturalmente|ecco)[,.!]+\s*`,
		`ecco\s+[^.:!?]{0,80}:\s*`,
		`(?:descrizione(?:\s+dell['’]immagine)?|risposta|didascalia|testo\s+alternativo|riassunto|parole\s+chiave|scena)\s*:\s*`,
		theIT+imageIT+`\s+(?:mostra|raffigura|ritrae|rappresenta|presenta|cattura|illustra)\s+(?:anche\s+)?`,
		theIT+imageIT+`\s+è\s+((?:un|una|uno)\s)`,
		`(?:si\s+tratta\s+di|(?:questa\s+)?è)\s+una\s+`+imageIT+`\s+(?:di\s+((?:un|una|uno|due|tre)\s)|che\s+mostra\s+)`,
		inIT+imageIT+`\s*,\s*`,
		inIT+imageIT+`\s+((?:c['’]è|ci\s+sono|si|possiamo)\s)`,
		`(?:si\s+(?:vede|vedono|può\s+vedere|possono\s+vedere)|possiamo\s+vedere|vediamo)\s+(?:anche\s+)?`,
	),
	"pt": compile(
		`(?:claro|com\s+certeza|certamente|é\s+claro)[,.!]+\s*`,
		`(?:aqui\s+(?:está|estão|vai)|esta\s+é)\s+[^.:!?]{0,80}:\s*`,
		`(?:descrição(?:\s+da\s+imagem)?|resposta|legenda|texto\s+alternativo|resumo|palavras[- ]chave|cena)\s*:\s*`,
		thePT+imagePT+`\s+(?:também\s+)?(?:mostra|retrata|apresenta|representa|captura|exibe|ilustra)\s+`,
		thePT+imagePT+`\s+é\s+((?:um|uma)\s)`,
		`(?:trata-se\s+de|(?:esta\s+)?é)\s+uma\s+`+imagePT+`\s+(?:de\s+((?:um|uma|dois|duas|três)\s)|que\s+mostra\s+)`,
		inPT+imagePT+`\s*,\s*`,
		inPT+imagePT+`\s+((?:há|vemos|aparecem?|podemos|é\s+possível)\s)`,
		`(?:vemos|vê-se|podemos\s+ver|pode-se\s+ver|é\s+possível\s+ver)\s+(?:também\s+)?`,
	),
	"nl": both([]string{
		`(?:zeker|natuurlijk|uiteraard|prima)[,.!]+\s*`,
		`hier\s+(?:is|zijn|volgt)\s+[^.:!?]{0,80}:\s*`,
		`(?:beschrijving(?:\s+van\s+de\s+afbeelding)?|antwoord|bijschrift|alt-?tekst|samenvatting|trefwoorden|scène)\s*:\s*`,
		theNL + imageNL + `\s+(?:toont|bevat|geeft)\s+(?:ook\s+)?`,
		theNL + imageNL + `\s+is\s+(een\s)`,
		`(?:dit|het)\s+is\s+een\s+` + imageNL + `\s+van\s+((?:een|twee|drie)\s)`,
		onNL + `\s+(?:zie\s+je|zien\s+we|ziet\s+men|ziet\s+u)\s+`,
		`(?:je|men|we)\s+(?:ziet|zien)\s+`,
	}, []string{
		onNL + `\s+(?:is|zijn)\s+(.+?)\s+te\s+zien([.,;!].*)?`,
		theNL + imageNL + `\s+laat\s+(.+?)\s+zien([.,;!].*)?`,
	}),
	"ja": compile(
		`(?:はい|もちろんです|承知しました)[、,。．.！!]\s*`,
		`(?:以下|こちら)[はが][^。：:]{0,40}[：:。]\s*`,
		`(?:画像の|写真の)?(?:説明|内容|回答|答え|キャプション|代替テキスト|要約|キーワード)\s*[：:]\s*`,
		`(?:この|その)`+imageJA+`(?:には|では|は|に|で)[、,]?\s*`,
		imageJA+`(?:には|では)[、,]?\s*`,
	),
	"zh": compile(
		`(?:好的|当然|當然|没问题|沒問題)[，,。！!]\s*`,
		`(?:以下|下面|这里|這裡)是[^。：:]{0,40}[：:]\s*`,
		`(?:图片|圖片|照片|图像|圖像)?(?:描述|说明|說明|回答|答案|标题|標題|替代文本|摘要|关键词|關鍵詞)\s*[：:]\s*`,
		thisZH+`(?:一)?(?:张|張|幅|个|個)?`+imageZH+`(?:中|里|裡)?(?:主要|还|還|清晰地)?(?:展示|显示|顯示|描绘|描繪|呈现|呈現|拍摄|拍攝|描述|展现|展現)(?:的是|出|了|着|著)?(?:的是)?[：:]?\s*`,
		`(?:在)?(?:`+thisZH+`)?(?:张|張|幅)?`+imageZH+`(?:中|里|裡|上)[，,]?\s*(?:我们|我們)?(?:可以看到|能看到|可以看見)?[，,]?\s*`,
		`(?:图|圖)(?:中|里|裡)[，,]?\s*(?:可以看到)?`,
	),
}
