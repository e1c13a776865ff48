/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlbadfiles.h"

#define V TL_BAD_FILE_HEAD

#define TEXT(text) text, sizeof (text) - 1

const TlBadFile tl_bad_files[] = {
    /* ---- the text ---- */
    {"empty", TEXT (""),
        "error: the text is empty: a pipeline file begins with \"tlpipe: 1\""},
    {"only a comment", TEXT ("# nothing\n"),
        "error: the text is empty: a pipeline file begins with \"tlpipe: 1\""},
    {"only a document mark", TEXT ("---\n"),
        "2:1: error: a pipeline file is a mapping that begins with \"tlpipe: 1\""},
    {"UTF-16", TEXT ("\377\376t\000l\000"),
        "error: the text is UTF-16 or UTF-32: save it as UTF-8"},
    {"UTF-16 without a mark", TEXT ("t\000l\000p\000"),
        "error: the text is UTF-16 or UTF-32: save it as UTF-8"},
    {"binary", TEXT (V "x-a: \001\n"),
        "2:6: error: this is no text: byte 0x01 (a pipeline file is UTF-8)"},
    {"not UTF-8", TEXT (V "x-a: caf\377\n"),
        "2:9: error: this is no text: byte 0xff (a pipeline file is UTF-8)"},
    {"NUL", TEXT (V "x-a: a\000b\n"),
        "2:7: error: this is no text: byte 0x00 (a pipeline file is UTF-8)"},
    {"two documents",
        TEXT (V "pipeline: [fakesrc, fakesink]\n"
                "---\n"
                "tlpipe: 1\n"
                "pipeline: [fakesrc, fakesink]\n"),
        "3:1: error: a second document begins here; a pipeline file is one"},
    {"tab as indent",
        TEXT (V "pipeline:\n"
                "\t- fakesrc\n"),
        "3:1: error: a tab cannot indent; use spaces"},
    {"tag",
        TEXT (V "x-a: !python/object {}\n"
                "pipeline: [fakesrc, fakesink]\n"),
        "2:6: error: the tag !python/object has no place here: the property decides what a text means"},
    {"tag of YAML's own",
        TEXT (V "x-a: !!int 5\n"
                "pipeline: [fakesrc, fakesink]\n"),
        "2:6: error: the tag !!int has no place here: the property decides what a text means"},
    {"alias without an anchor",
        TEXT (V "x-small: &small {a: 1}\n"
                "pipeline:\n"
                "  - queue: {<<: *smal}\n"),
        "4:17: error: no anchor &smal comes before this - did you mean \"small\"?"},
    {"alias inside its anchor", TEXT (V "pipeline: &p [fakesrc, *p]\n"),
        "2:24: error: *p is inside of &p, so it would contain itself"},
    {"alias inside its anchor in a mapping",
        TEXT (V "x-a: &a {b: [*a]}\n"
                "pipeline: [fakesrc, fakesink]\n"),
        "2:14: error: *a is inside of &a, so it would contain itself"},
    {"merge with a text",
        TEXT (V "x-a: {<<: b}\n"
                "pipeline: [fakesrc, fakesink]\n"),
        "2:11: error: << takes a mapping or a list of mappings"},
    {"duplicate key",
        TEXT (V "pipeline: [fakesrc, fakesink]\n"
                "vars: {a: 1}\n"
                "vars: {b: 2}\n"),
        "4:1: error: \"vars\" is given twice; the first is in line 3"},
    {"duplicate property",
        TEXT (V "pipeline:\n"
                "  - fakesrc: {num-buffers: 1, num-buffers: 2}\n"
                "  - fakesink\n"),
        "3:31: error: \"num-buffers\" is given twice; the first is in line 3"},
    {"key that is a list",
        TEXT (V "? [a, b]\n"
                ": c\n"
                "pipeline: [fakesrc, fakesink]\n"),
        "2:3: error: a key must be a text"},
    {"unclosed bracket", TEXT (V "pipeline: [fakesrc, fakesink\n"),
        "3:1: error: no YAML: did not find expected ',' or ']'"},
    {"unclosed quote",
        TEXT (V "x-a: \"abc\n"
                "pipeline: [fakesrc, fakesink]\n"),
        "2:6: error: the text in quotes that begins here has no end"},
    {"colon in a plain text",
        TEXT (V "description: one: two\n"
                "pipeline: [fakesrc, fakesink]\n"),
        "2:17: error: no \":\" is expected here: a text with \": \" in it needs quotes, and what belongs to a line above is indented deeper"},
    {"character that needs quotes",
        TEXT (V "x-a: @b\n"
                "pipeline: [fakesrc, fakesink]\n"),
        "2:6: error: a text that begins with this character needs quotes"},
    {"bad indent",
        TEXT (V "vars:\n"
                "  a: 1\n"
                " b: 2\n"
                "pipeline: [fakesrc, fakesink]\n"),
        "4:2: error: no YAML: did not find expected key"},
    {"escaped NUL",
        TEXT (V "x-a: \"\\0\"\n"
                "pipeline: [fakesrc, fakesink]\n"),
        "2:6: error: a text cannot hold the character \\0"},
    {"unknown directive",
        TEXT ("%YAML 3.0\n"
              "---\n"
              "tlpipe: 1\n"),
        "1:1: error: no YAML: found incompatible YAML document"},

    /* ---- top level ---- */
    {"no mapping", TEXT ("- tlpipe\n"),
        "1:1: error: a pipeline file is a mapping that begins with \"tlpipe: 1\""},
    {"a text", TEXT ("tlpipe"),
        "1:1: error: a pipeline file is a mapping that begins with \"tlpipe: 1\""},
    {"no version", TEXT ("pipeline: [fakesrc, fakesink]\n"),
        "1:1: error: this is no pipeline file: it has to begin with \"tlpipe: 1\""},
    {"wrong version",
        TEXT ("tlpipe: 2\n"
              "pipeline: [fakesrc, fakesink]\n"),
        "1:9: error: this is version 2 of the format, and only version 1 is known"},
    {"version is a list",
        TEXT ("tlpipe: [1]\n"
              "pipeline: [fakesrc, fakesink]\n"),
        "1:9: error: the version of the format is the number 1"},
    {"unknown key", TEXT (V "pipelin: [fakesrc]\n"),
        "2:1: error: a pipeline file has no key \"pipelin\" - did you mean \"pipeline\"?"},
    {"unknown key far from all",
        TEXT (V "zebra: 1\n"
                "pipeline: [fakesrc, fakesink]\n"),
        "2:1: error: a pipeline file has no key \"zebra\""},
    {"nothing to run", TEXT (V "vars: {a: 1}\n"),
        "1:1: error: there is nothing to run: the file has neither a pipeline nor stages"},
    {"pipeline and stages",
        TEXT (V "pipeline: [fakesrc, fakesink]\n"
                "stages: {a: {pipeline: [fakesrc, fakesink]}}\n"),
        "3:9: error: a file has either a pipeline or stages"},
    {"links without a pipeline",
        TEXT (V "links: [a -> b]\n"
                "stages:\n"
                "  a: {pipeline: [fakesrc, fakesink]}\n"),
        "2:8: error: links belong to a pipeline: write them beside it"},
    {"description is a list",
        TEXT (V "description: [a]\n"
                "pipeline: [fakesrc, fakesink]\n"),
        "2:14: error: expected a text"},

    /* ---- steps ---- */
    {"pipeline is a text", TEXT (V "pipeline: fakesrc\n"),
        "2:11: error: expected a list of steps, such as [videotestsrc, fakesink]"},
    {"pipeline is empty", TEXT (V "pipeline: []\n"),
        "2:11: error: expected a list of steps, such as [videotestsrc, fakesink]"},
    {"pipeline without a value", TEXT (V "pipeline:\n"),
        "2:10: error: expected a list of steps, such as [videotestsrc, fakesink]"},
    {"list among steps",
        TEXT (V "pipeline:\n"
                "  - fakesrc\n"
                "  - [fakesink]\n"),
        "4:5: error: a list is no step; several chains are a list of lists only"},
    {"step among lists",
        TEXT (V "pipeline:\n"
                "  - [fakesrc, fakesink]\n"
                "  - fakesrc\n"),
        "4:5: error: expected a list of steps, such as [videotestsrc, fakesink]"},
    {"empty step",
        TEXT (V "pipeline:\n"
                "  - fakesrc\n"
                "  -\n"
                "  - fakesink\n"),
        "4:4: error: an empty step"},
    {"empty mapping as a step",
        TEXT (V "pipeline:\n"
                "  - fakesrc\n"
                "  - {}\n"),
        "4:5: error: an empty mapping is no step"},
    {"several keys in a step",
        TEXT (V "pipeline:\n"
                "  - fakesrc:\n"
                "    num-buffers: 1\n"
                "  - fakesink\n"),
        "3:5: error: each step must be an element name or one \"element: {properties}\" entry (found several keys; indent the properties deeper)"},
    {"properties are a text",
        TEXT (V "pipeline:\n"
                "  - fakesrc: 5\n"),
        "3:14: error: the properties of fakesrc are a mapping, such as {name: value}"},
    {"properties are a list",
        TEXT (V "pipeline:\n"
                "  - fakesrc: [num-buffers]\n"),
        "3:14: error: the properties of fakesrc are a mapping, such as {name: value}"},
    {"unknown element",
        TEXT (V "pipeline:\n"
                "  - fakesrc\n"
                "  - fakesinc\n"),
        "4:5: error: no element named \"fakesinc\" - did you mean \"fakesink\"?"},
    {"unknown element of tlpipe",
        TEXT (V "pipeline:\n"
                "  - datasetsource\n"
                "  - fakesink\n"),
        "3:5: error: no element named \"datasetsource\" - did you mean \"datasetsrc\"?"},
    {"element that is not installed",
        TEXT (V "pipeline:\n"
                "  - fakesrc\n"
                "  - x264enc\n"),
        "4:5: error: the element \"x264enc\" is not installed"},
    {"bad caps",
        TEXT (V "pipeline:\n"
                "  - fakesrc\n"
                "  - video/x-raw,width=\n"
                "  - fakesink\n"),
        "4:5: error: \"video/x-raw,width=\" are no caps: expected such as video/x-raw,width=640"},
    {"bad caps step",
        TEXT (V "pipeline:\n"
                "  - fakesrc\n"
                "  - caps: \"video\"\n"
                "  - caps: {a: 1}\n"
                "  - fakesink\n"),
        "5:11: error: expected a text"},
    {"launch with an unknown element",
        TEXT (V "pipeline:\n"
                "  - launch: fakesrc ! nonesuch\n"
                "  - fakesink\n"),
        "3:13: error: launch: no element \"nonesuch\""},
    {"launch that is no line",
        TEXT (V "pipeline:\n"
                "  - launch: \"fakesrc ! !\"\n"
                "  - fakesink\n"),
        "3:13: error: launch: syntax error"},
    {"launch with an unknown property",
        TEXT (V "pipeline:\n"
                "  - launch: fakesrc colour=red\n"
                "  - fakesink\n"),
        "3:13: error: launch: no property \"colour\" in element \"fakesrc\""},
    {"steps after branches",
        TEXT (V "pipeline:\n"
                "  - fakesrc\n"
                "  - tee: {branches: {a: [fakesink]}}\n"
                "  - fakesink\n"),
        "5:5: error: nothing can follow tee in its chain: the branches go on from it"},
    {"branches is a list",
        TEXT (V "pipeline:\n"
                "  - fakesrc\n"
                "  - tee: {branches: [fakesink]}\n"),
        "4:21: error: branches is a mapping of names to lists of steps, such as {show: [autovideosink]}"},
    {"branches is empty",
        TEXT (V "pipeline:\n"
                "  - fakesrc\n"
                "  - tee: {branches: {}}\n"),
        "4:21: error: branches is a mapping of names to lists of steps, such as {show: [autovideosink]}"},
    {"branch is a text",
        TEXT (V "pipeline:\n"
                "  - fakesrc\n"
                "  - tee: {branches: {a: fakesink}}\n"),
        "4:25: error: expected a list of steps, such as [videotestsrc, fakesink]"},
    {"branches of an element with one pad",
        TEXT (V "pipeline:\n"
                "  - fakesrc\n"
                "  - identity: {branches: {a: [fakesink], b: [fakesink]}}\n"),
        "4:42: error: identity.src is linked to queue already"},

    /* ---- names and links ---- */
    {"name twice",
        TEXT (V "pipeline:\n"
                "  - fakesrc: {name: a}\n"
                "  - fakesink: {name: a}\n"),
        "4:22: error: two elements are named \"a\"; the first is in line 3"},
    {"bad name",
        TEXT (V "pipeline:\n"
                "  - fakesrc: {name: a.b}\n"
                "  - fakesink\n"),
        "3:21: error: \"a.b\" is no name for an element: letters, digits, - and _"},
    {"name is a list",
        TEXT (V "pipeline:\n"
                "  - fakesrc: {name: [a]}\n"
                "  - fakesink\n"),
        "3:21: error: expected a text"},
    {"links is a text",
        TEXT (V "pipeline: [fakesrc, fakesink]\n"
                "links: a -> b\n"),
        "3:8: error: links is a list, such as [\"a -> b\"]"},
    {"link without an arrow",
        TEXT (V "pipeline: [fakesrc, fakesink]\n"
                "links: [fakesrc fakesink]\n"),
        "3:9: error: \"fakesrc fakesink\" is no link; expected \"element -> element\" or \"element.pad -> element.pad\""},
    {"link to nobody",
        TEXT (V "pipeline: [[fakesrc], [fakesink]]\n"
                "links: [fakesrc -> fakesinc]\n"),
        "3:9: error: no element is named \"fakesinc\" - did you mean \"fakesink\"?"},
    {"link to a pad that is not there",
        TEXT (V "pipeline: [[fakesrc], [fakesink]]\n"
                "links: [fakesrc.scr -> fakesink]\n"),
        "3:9: error: fakesrc has no source pad \"scr\" - did you mean \"src\"?"},
    {"link to itself",
        TEXT (V "pipeline: [[fakesrc], [identity], [fakesink]]\n"
                "links: [identity -> identity]\n"),
        "3:9: error: identity cannot be linked to itself"},
    {"link that is there",
        TEXT (V "pipeline: [fakesrc, fakesink]\n"
                "links: [fakesrc -> fakesink]\n"),
        "3:9: error: fakesrc.src is linked to fakesink already"},
    {"caps that do not meet",
        TEXT (V "pipeline:\n"
                "  - datasetsrc\n"
                "  - resnetfinetune\n"),
        "4:5: error: resnetfinetune cannot follow datasetsrc: their caps have nothing in common"},
    {"caps filter that nothing passes",
        TEXT (V "pipeline:\n"
                "  - videotestsrc\n"
                "  - audio/x-raw\n"
                "  - fakesink\n"),
        "4:5: error: capsfilter cannot follow videotestsrc: their caps have nothing in common"},
    {"sink in the middle",
        TEXT (V "pipeline:\n"
                "  - fakesrc\n"
                "  - fakesink\n"
                "  - fakesink\n"),
        "5:5: error: fakesink2 cannot follow fakesink, which has no source pad"},
    {"source in the middle",
        TEXT (V "pipeline:\n"
                "  - fakesrc\n"
                "  - fakesrc\n"),
        "4:5: error: fakesrc2 cannot follow fakesrc: it has no sink pad"},

    /* ---- properties ---- */
    {"unknown property",
        TEXT (V "pipeline:\n"
                "  - datasetsrc: {epohcs: 1}\n"),
        "3:18: error: datasetsrc has no property \"epohcs\" - did you mean \"epochs\"?"},
    {"read-only property",
        TEXT (V "pipeline:\n"
                "  - datasetsrc: {n-samples: 1}\n"),
        "3:18: error: datasetsrc.n-samples is read-only"},
    {"property that is an object",
        TEXT (V "pipeline:\n"
                "  - fakesrc: {parent: x}\n"),
        "3:15: error: fakesrc.parent is a GstObject, which no text can give"},
    {"property without a value",
        TEXT (V "pipeline:\n"
                "  - datasetsrc: {location: }\n"),
        "3:18: error: \"location\" has no value; write \"\" for an empty text"},
    {"property is a mapping",
        TEXT (V "pipeline:\n"
                "  - datasetsrc: {location: {a: b}}\n"),
        "3:28: error: \"location\" takes a value or a list of values"},
    {"list for a number",
        TEXT (V "pipeline:\n"
                "  - datasetsrc: {epochs: [1, 2]}\n"),
        "3:26: error: a list is not valid for datasetsrc.epochs: expected an integer, 0 to 1000000"},
    {"list in a list",
        TEXT (V "pipeline:\n"
                "  - datasetsrc: {location: [[a]]}\n"),
        "3:29: error: expected a text"},
    {"hexadecimal",
        TEXT (V "pipeline:\n"
                "  - datasetsrc: {epochs: 0x10}\n"),
        "3:26: error: \"0x10\" is not valid for datasetsrc.epochs: expected an integer, 0 to 1000000 in decimal digits, the first of them not 0"},
    {"leading zero",
        TEXT (V "pipeline:\n"
                "  - datasetsrc: {epochs: 010}\n"),
        "3:26: error: \"010\" is not valid for datasetsrc.epochs: expected an integer, 0 to 1000000 in decimal digits, the first of them not 0"},
    {"exponent for an integer",
        TEXT (V "pipeline:\n"
                "  - datasetsrc: {epochs: 1e3}\n"),
        "3:26: error: \"1e3\" is not valid for datasetsrc.epochs: expected an integer, 0 to 1000000"},
    {"empty integer",
        TEXT (V "pipeline:\n"
                "  - datasetsrc: {epochs: \"\"}\n"),
        "3:26: error: \"\" is not valid for datasetsrc.epochs: expected an integer, 0 to 1000000"},
    {"plus sign",
        TEXT (V "pipeline:\n"
                "  - datasetsrc: {epochs: +5}\n"),
        "3:26: error: \"+5\" is not valid for datasetsrc.epochs: expected an integer, 0 to 1000000"},
    {"blank behind a number",
        TEXT (V "pipeline:\n"
                "  - datasetsrc: {epochs: \"5 \"}\n"),
        "3:26: error: \"5 \" is not valid for datasetsrc.epochs: expected an integer, 0 to 1000000"},
    {"negative for an unsigned",
        TEXT (V "pipeline:\n"
                "  - datasetsrc: {epochs: -1}\n"),
        "3:26: error: -1 is out of range for datasetsrc.epochs: expected an integer, 0 to 1000000"},
    {"more than 32 bits",
        TEXT (V "pipeline:\n"
                "  - datasetsrc: {epochs: 4294967296}\n"),
        "3:26: error: 4294967296 is out of range for datasetsrc.epochs: expected an integer, 0 to 1000000"},
    {"more than 64 bits",
        TEXT (V "pipeline:\n"
                "  - datasetsrc: {seed: 18446744073709551616}\n"),
        "3:24: error: 18446744073709551616 is out of range for datasetsrc.seed: expected an integer, 0 to 18446744073709551615"},
    {"more than an int",
        TEXT (V "pipeline:\n"
                "  - fakesrc: {num-buffers: 3000000000}\n"),
        "3:28: error: 3000000000 is out of range for fakesrc.num-buffers: expected an integer, -1 to 2147483647"},
    {"outside the true range",
        TEXT (V "pipeline:\n"
                "  - imagedecode: {n-threads: 1000}\n"),
        "3:30: error: 1000 is out of range for imagedecode.n-threads: expected an integer, 0 to 256"},
    {"outside an open range",
        TEXT (V "pipeline:\n"
                "  - resnetfinetune: {lr: 0}\n"),
        "3:26: error: 0 is out of range for resnetfinetune.lr: expected a number, more than 0"},
    {"nan",
        TEXT (V "pipeline:\n"
                "  - resnetfinetune: {lr: nan}\n"),
        "3:26: error: \"nan\" is not valid for resnetfinetune.lr: expected a number, more than 0"},
    {"infinity",
        TEXT (V "pipeline:\n"
                "  - resnetfinetune: {lr: 1e999}\n"),
        "3:26: error: 1e999 is out of range for resnetfinetune.lr: expected a number, more than 0"},
    {"comma in a number",
        TEXT (V "pipeline:\n"
                "  - resnetfinetune: {lr: \"0,1\"}\n"),
        "3:26: error: \"0,1\" is not valid for resnetfinetune.lr: expected a number, more than 0"},
    {"bad boolean",
        TEXT (V "pipeline:\n"
                "  - datasetsrc: {shuffle: maybe}\n"),
        "3:27: error: \"maybe\" is not valid for datasetsrc.shuffle: expected true or false"},
    {"number for a boolean",
        TEXT (V "pipeline:\n"
                "  - datasetsrc: {shuffle: 1}\n"),
        "3:27: error: \"1\" is not valid for datasetsrc.shuffle: expected true or false"},
    {"bad enum",
        TEXT (V "pipeline:\n"
                "  - resnetfinetune: {freeze: layer5}\n"),
        "3:30: error: \"layer5\" is not valid for resnetfinetune.freeze: expected one of none, stem, layer1, layer2, layer3, all-but-fc - did you mean \"layer1\"?"},
    {"number for an enum",
        TEXT (V "pipeline:\n"
                "  - resnetfinetune: {freeze: 3}\n"),
        "3:30: error: \"3\" is not valid for resnetfinetune.freeze: expected one of none, stem, layer1, layer2, layer3, all-but-fc"},
    {"bad enum of a stock element",
        TEXT (V "pipeline:\n"
                "  - videotestsrc: {animation-mode: x}\n"),
        "3:36: error: \"x\" is not valid for videotestsrc.animation-mode: expected one of frames, wall-time, running-time"},
    {"bad caps property",
        TEXT (V "pipeline:\n"
                "  - capsfilter: {caps: \"a/b,c=\"}\n"),
        "3:24: error: \"a/b,c=\" is not valid for capsfilter.caps: expected caps such as video/x-raw,width=640"},

    /* ---- variables ---- */
    {"unknown variable",
        TEXT (V "vars: {data: x}\n"
                "pipeline:\n"
                "  - datasetsrc: {location: \"${dta}\"}\n"),
        "4:29: error: no variable \"dta\" in vars or in the environment - did you mean \"data\"?"},
    {"unknown variable behind text",
        TEXT (V "pipeline:\n"
                "  - datasetsrc: {location: \"\303\251/${none}\"}\n"),
        "3:31: error: no variable \"none\" in vars or in the environment"},
    {"unknown variable on another line",
        TEXT (V "pipeline:\n"
                "  - datasetsrc:\n"
                "      location: >\n"
                "        a\n"
                "        b${none}\n"),
        "6:10: error: no variable \"none\" in vars or in the environment"},
    {"variable in a circle",
        TEXT (V "vars: {a: \"${b}\", b: \"${a}\"}\n"
                "pipeline: [fakesrc, fakesink]\n"),
        "2:23: error: \"a\" leads back to itself"},
    {"variable of itself",
        TEXT (V "vars: {a: \"x${a}\"}\n"
                "pipeline: [fakesrc, fakesink]\n"),
        "2:13: error: \"a\" leads back to itself"},
    {"unclosed variable",
        TEXT (V "vars: {a: \"${b\"}\n"
                "pipeline: [fakesrc, fakesink]\n"),
        "2:12: error: the } of this ${ is missing; write $${ for the text \"${\""},
    {"bad variable syntax",
        TEXT (V "vars: {a: \"${b c}\"}\n"
                "pipeline: [fakesrc, fakesink]\n"),
        "2:12: error: expected ${NAME} or ${NAME:-default}; write $${ for the text \"${\""},
    {"empty variable",
        TEXT (V "vars: {a: \"${}\"}\n"
                "pipeline: [fakesrc, fakesink]\n"),
        "2:12: error: expected ${NAME} or ${NAME:-default}; write $${ for the text \"${\""},
    {"variable without a value",
        TEXT (V "vars: {data: }\n"
                "pipeline:\n"
                "  - datasetsrc: {location: \"${data}\"}\n"),
        "4:29: error: \"data\" has no value: give it with --set data=VALUE"},
    {"variable is a list",
        TEXT (V "vars: {a: [1]}\n"
                "pipeline: [fakesrc, fakesink]\n"),
        "2:11: error: the variable \"a\" must be a text"},
    {"bad name of a variable",
        TEXT (V "vars: {a.b: 1}\n"
                "pipeline: [fakesrc, fakesink]\n"),
        "2:8: error: \"a.b\" is no name for a variable: letters, digits, - and _"},
    {"DIR as a variable",
        TEXT (V "vars: {DIR: x}\n"
                "pipeline: [fakesrc, fakesink]\n"),
        "2:8: error: \"DIR\" is the folder of the file and cannot be another"},
    {"vars is a list",
        TEXT (V "vars: [a]\n"
                "pipeline: [fakesrc, fakesink]\n"),
        "2:7: error: vars is a mapping, such as {name: value}"},
    {"variables that double",
        TEXT (V
            "vars: {a: xxxxxxxxxxxxxxxx, b: \"${a}${a}${a}${a}${a}${a}${a}${a}${a}${a}${a}${a}${a}${a}${a}${a}\", c: \"${b}${b}${b}${b}${b}${b}${b}${b}${b}${b}${b}${b}${b}${b}${b}${b}\", d: \"${c}${c}${c}${c}${c}${c}${c}${c}${c}${c}${c}${c}${c}${c}${c}${c}\", e: \"${d}${d}\"}\n"
            "pipeline: [fakesrc, fakesink]\n"),
        "2:245: error: with its variables put in, this is more than 65536 bytes"},

    /* ---- stages and includes ---- */
    {"stages is a list", TEXT (V "stages: [a]\n"),
        "2:9: error: stages is a mapping of names to stages, such as {train: {pipeline: [\342\200\246]}}"},
    {"stage is a text", TEXT (V "stages: {a: b}\n"),
        "2:10: error: the stage \"a\" has no pipeline"},
    {"stage without a pipeline", TEXT (V "stages: {a: {description: b}}\n"),
        "2:10: error: the stage \"a\" has no pipeline"},
    {"unknown key of a stage",
        TEXT (V "stages: {a: {pipeline: [fakesrc, fakesink], need: b}}\n"),
        "2:45: error: a stage has no key \"need\" - did you mean \"needs\"?"},
    {"stage that needs nobody",
        TEXT (V "stages:\n"
                "  train: {pipeline: [fakesrc, fakesink]}\n"
                "  test: {pipeline: [fakesrc, fakesink], needs: tran}\n"),
        "4:48: error: no stage is named \"tran\" - did you mean \"train\"?"},
    {"stages in a circle",
        TEXT (V "stages:\n"
                "  a: {pipeline: [fakesrc, fakesink], needs: b}\n"
                "  b: {pipeline: [fakesrc, fakesink], needs: [a]}\n"),
        "3:45: error: the stages that \"a\" needs wait for each other"},
    {"bad name of a stage",
        TEXT (V "stages: {a b: {pipeline: [fakesrc, fakesink]}}\n"),
        "2:10: error: \"a b\" is no name for a stage: letters, digits, - and _"},
    {"include that is not there",
        TEXT (V "include: nowhere.yaml\n"
                "pipeline: [fakesrc, fakesink]\n"),
        "2:10: error: nowhere.yaml: No such file or directory"},
    {"include of a folder",
        TEXT (V "include: .\n"
                "pipeline: [fakesrc, fakesink]\n"),
        "2:10: error: .: this is a folder"},
    {"include of a device",
        TEXT (V "include: /dev/zero\n"
                "pipeline: [fakesrc, fakesink]\n"),
        "2:10: error: /dev/zero: this is no file"},
    {"include with a variable",
        TEXT (V "include: ${a}.yaml\n"
                "pipeline: [fakesrc, fakesink]\n"),
        "2:10: error: the path of an include takes no variables"},
    {"include is a mapping",
        TEXT (V "include: {a: b}\n"
                "pipeline: [fakesrc, fakesink]\n"),
        "2:10: error: include takes a path or a list of paths"},
};

const guint tl_n_bad_files = G_N_ELEMENTS (tl_bad_files);
