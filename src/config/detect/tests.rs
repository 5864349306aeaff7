use std::fs;
use std::path::Path;

use crate::config::{Origin, Overrides, Settings};

/// What the files say, or what is said about them, without the directory's name.
fn load(files: &[(&str, &str)]) -> Result<(Settings, String), String> {
    let room = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = room.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let prefix = format!("{}/", room.path().display());
    let origin = Origin { main: Path::new(room.path()).join("netroom.toml"), overrides: Overrides::default(), credentials: None };
    match origin.load() {
        Ok(loaded) => Ok((loaded.settings, loaded.warnings.to_string().replace(&prefix, ""))),
        Err(problems) => Err(problems.to_string().replace(&prefix, "")),
    }
}

#[test]
fn what_is_said_is_taken() {
    let text = r#"
        [detect]
        off = ["hog", "arp-spoof"]
        hours = ["mon-fri 08:00-18:00"]
        lookups = ["Reputation.Example.COM"]
        [detect.rules.icmp-sweep]
        targets = "20"
        window = "2m"
        [detect.rules.hog]
        floor = "20Mbit/s"
        share = "40%"
    "#;
    let (settings, warnings) = load(&[("netroom.toml", text)]).unwrap();
    assert_eq!(warnings, "0 errors, 0 warnings");
    let detect = settings.detect;
    assert_eq!((detect.off.as_slice(), &*detect.lookups[0]), (&["hog", "arp-spoof"][..], "reputation.example.com"));
    let tuned: Vec<_> = detect.tuned.iter().map(|one| (one.parameter.path, one.value)).collect();
    assert_eq!(tuned, [("hog.floor_bps", 20e6), ("hog.share", 0.4), ("icmp.targets", 20.0), ("icmp.window_s", 120.0)]);
    assert_eq!(detect.classes.len(), 7, "the shipped lists");
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_what_to_do() {
    for (text, place, words, remedy) in [
        ("[detect]\noff = [\"hogg\"]", "netroom.toml:2:8", "there is no rule \"hogg\"", "did you mean \"hog\"?"),
        ("[detect]\nhours = [\"noon\"]", "netroom.toml:2:10", "no time of the week", "mon-fri"),
        ("[detect]\nlookups = [\"port 53\"]", "netroom.toml:2:12", "no domain", "example.com"),
        ("[detect.rules.icmp-swep]\ntargets = \"9\"", "netroom.toml:2:11", "\"icmp-swep\"", "did you mean \"icmp-sweep\"?"),
        ("[detect.rules.dga]\nname = \"9\"", "netroom.toml:2:8", "no parameter \"name\"", "did you mean \"names\"?"),
        ("[detect.rules.dga]\nnames = \"many\"", "netroom.toml:2:9", "cannot be read", "\"20\""),
        ("[detect.rules.dga]\nnames = \"4\"", "netroom.toml:2:9", "out of its range", "take 5 to 10000"),
        ("[detect.rules.dga]\nwindow = \"1500ms\"", "netroom.toml:2:10", "cannot be read", "\"60s\""),
        ("[detect]\nmode = \"block\"", "netroom.toml:2:8", "mode", "observe"),
    ] {
        let said = load(&[("netroom.toml", text)]).unwrap_err();
        assert!(said.starts_with(place) && said.contains(words) && said.contains(remedy), "{text}\n{said}");
    }
}

#[test]
fn a_list_of_ones_own_stands_in_the_place_of_the_shipped_one() {
    let main = ("netroom.toml", "[detect]\nclasses = \"lists\"");
    let (settings, _) = load(&[main, ("lists/film.txt", "cinema.example.cn\n")]).unwrap();
    let film = settings.detect.classes.iter().find(|list| list.class == "film").unwrap();
    assert_eq!(film.entries.len(), 1);
    let said = load(&[main, ("lists/film.txt", "# ours\nhttp://cinema.example.cn\n")]).unwrap_err();
    assert!(said.starts_with("lists/film.txt:2:1: error[bad-pattern]: "), "{said}");
    let (_, warnings) = load(&[main]).unwrap();
    assert!(warnings.contains("there is no list in lists"), "{warnings}");
}
