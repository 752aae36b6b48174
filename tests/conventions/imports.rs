//! Which file imports which: no circles, and no arrow up the floors that the crates' own documentation names.
//!
//! What counts as an arrow: a path in the code that ships (in a `use`, in the code, in the tokens of a macro call) that names
//! something of another file of the same crate. It leads to the file that defines the thing, however many re-exports or
//! `use`s of a parent lie between: a detour over a parent hides no circle. Tests, and modules behind the feature `testing`
//! seen from elsewhere, are not code that ships.
//!
//! What does not count: `mod child;`, and a child that uses what an ancestor itself defines. `foo.rs` and `foo/` are one room,
//! whose types stand at its door. A child that reaches a sibling, or a parent's `use` of a sibling, does count.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use syn::visit::Visit;
use syn::{Attribute, Item, UseTree};

use super::{read, rust_files};

/// A module's place in its crate: `["render", "html"]`.
type Module = Vec<String>;

/// What one file says.
#[derive(Default)]
struct File {
    /// Names that a `use` brings in, and the path behind each.
    names: BTreeMap<String, Vec<String>>,
    /// Paths whose every name a `use` brings in.
    globs: Vec<Vec<String>>,
    /// Names that are defined here.
    items: BTreeSet<String>,
    /// Every path of the code.
    paths: Vec<Vec<String>>,
}

/// A crate by its folder, with every file by its module.
struct Crate {
    files: BTreeMap<Module, File>,
}

impl Crate {
    fn read(folder: &str) -> Self {
        let sources = rust_files(folder).into_iter().filter(|file| !file.ends_with("main.rs"));
        Self::parse(sources.map(|file| (module(folder, &file), read(&file))))
    }

    fn parse(sources: impl IntoIterator<Item = (Module, String)>) -> Self {
        let parsed: Vec<(Module, syn::File)> = sources
            .into_iter()
            .map(|(module, text)| {
                let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", module.join("::")));
                (module, file)
            })
            .collect();
        let tests: Vec<Module> = parsed.iter().flat_map(|(module, file)| test_modules(module, file)).collect();
        let ships = |module: &Module| !tests.iter().any(|test| module.starts_with(test));
        let files = parsed.into_iter().filter(|(module, _)| ships(module));
        Self { files: files.map(|(module, file)| (module, File::new(&file))).collect() }
    }

    /// From each file to the files that define what it uses.
    fn arrows(&self) -> BTreeMap<&Module, BTreeSet<Module>> {
        let of = |(module, file): (&Module, &File)| {
            let paths = file.paths.iter().filter_map(|path| self.definer(module, path, 0));
            paths.filter(|to| to != module && (to.is_empty() || !module.starts_with(to))).collect()
        };
        // The crate's own file does nothing but open its rooms.
        self.files.iter().filter(|(module, _)| !module.is_empty()).map(|entry| (entry.0, of(entry))).collect()
    }

    /// The file that defines what a path names, seen from a module; `None` for other crates, and for a module as such.
    fn definer(&self, from: &Module, path: &[String], depth: usize) -> Option<Module> {
        let (first, rest) = path.split_first()?;
        if depth > 12 {
            return None;
        }
        match first.as_str() {
            "crate" => self.walk(Vec::new(), rest, depth),
            "self" => self.walk(from.clone(), rest, depth),
            "super" => self.walk(from.split_last()?.1.to_vec(), rest, depth),
            _ => self.walk(from.clone(), path, depth),
        }
    }

    fn walk(&self, mut at: Module, path: &[String], depth: usize) -> Option<Module> {
        let mut rest = path;
        while let Some((name, more)) = rest.split_first() {
            if name == "super" {
                at.pop()?;
                rest = more;
                continue;
            }
            let child: Module = at.iter().chain([name]).cloned().collect();
            if self.files.contains_key(&child) {
                (at, rest) = (child, more);
                continue;
            }
            let file = self.files.get(&at)?;
            if file.items.contains(name) {
                return Some(at);
            }
            if let Some(behind) = file.names.get(name).filter(|behind| behind.as_slice() != path) {
                let whole: Vec<String> = behind.iter().chain(more).cloned().collect();
                return self.definer(&at, &whole, depth + 1);
            }
            let through = |glob: &Vec<String>| {
                let whole: Vec<String> = glob.iter().chain(rest).cloned().collect();
                self.definer(&at, &whole, depth + 1)
            };
            return file.globs.iter().find_map(through);
        }
        None
    }
}

impl File {
    fn new(file: &syn::File) -> Self {
        let mut collected = Self::default();
        collected.visit_file(file);
        collected
    }

    fn import(&mut self, tree: &UseTree, before: &[String]) {
        let with = |name: &syn::Ident| -> Vec<String> { before.iter().cloned().chain([name.to_string()]).collect() };
        match tree {
            UseTree::Path(path) => self.import(&path.tree, &with(&path.ident)),
            UseTree::Name(name) if name.ident == "self" => {
                let name = before.last().cloned().unwrap_or_default();
                self.bring(name, before.to_vec());
            }
            UseTree::Name(name) => self.bring(name.ident.to_string(), with(&name.ident)),
            UseTree::Rename(name) => self.bring(name.rename.to_string(), with(&name.ident)),
            UseTree::Glob(_) => self.globs.push(before.to_vec()),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.import(tree, before)),
        }
    }

    fn bring(&mut self, name: String, path: Vec<String>) {
        self.paths.push(path.clone());
        self.names.insert(name, path);
    }

    /// Paths in the tokens of a macro call, which are text to a parser.
    fn tokens(&mut self, text: &str) {
        let text = text.replace(" :: ", "::").replace(":: ", "::").replace(" ::", "::");
        let part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
        for word in text.split(|c| !part(c)).filter(|word| word.contains("::")) {
            self.paths.push(word.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect());
        }
    }
}

impl<'ast> Visit<'ast> for File {
    fn visit_item(&mut self, item: &'ast Item) {
        if is_test(attributes(item)) {
            return;
        }
        if let Some(name) = defined(item) {
            self.items.insert(name);
        }
        syn::visit::visit_item(self, item);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.import(&item.tree, &[]);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if names.len() > 1 {
            self.paths.push(names);
        }
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.tokens(&call.tokens.to_string());
        syn::visit::visit_macro(self, call);
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(it) => &it.attrs,
        Item::Enum(it) => &it.attrs,
        Item::Fn(it) => &it.attrs,
        Item::Impl(it) => &it.attrs,
        Item::Mod(it) => &it.attrs,
        Item::Static(it) => &it.attrs,
        Item::Struct(it) => &it.attrs,
        Item::Trait(it) => &it.attrs,
        Item::Type(it) => &it.attrs,
        Item::Use(it) => &it.attrs,
        Item::Macro(it) => &it.attrs,
        _ => &[],
    }
}

fn defined(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(it) => &it.ident,
        Item::Enum(it) => &it.ident,
        Item::Fn(it) => &it.sig.ident,
        Item::Static(it) => &it.ident,
        Item::Struct(it) => &it.ident,
        Item::Trait(it) => &it.ident,
        Item::Type(it) => &it.ident,
        Item::Macro(it) => it.ident.as_ref()?,
        _ => return None,
    };
    Some(name.to_string())
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) if list.path.is_ident("cfg") => {
            let condition = list.tokens.to_string();
            condition == "test" || condition.contains("\"testing\"")
        }
        _ => false,
    })
}

/// Files that are declared for tests alone.
fn test_modules(module: &Module, file: &syn::File) -> Vec<Module> {
    let declared = file.items.iter().filter_map(|item| match item {
        Item::Mod(it) if is_test(&it.attrs) && it.content.is_none() => Some(it.ident.to_string()),
        _ => None,
    });
    declared.map(|name| module.iter().cloned().chain([name]).collect()).collect()
}

fn module(folder: &str, file: &Path) -> Module {
    let inside = file.strip_prefix(folder).expect("below the folder").with_extension("");
    let names: Vec<String> = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if names == ["lib"] { Vec::new() } else { names }
}

/// Groups of files each of which can be reached from every other one of its group.
fn circles(arrows: &BTreeMap<&Module, BTreeSet<Module>>) -> Vec<BTreeSet<Module>> {
    let reached = |from: &Module| {
        let mut seen: BTreeSet<Module> = BTreeSet::new();
        let mut open = vec![from.clone()];
        while let Some(module) = open.pop() {
            for to in arrows.get(&module).into_iter().flatten() {
                if seen.insert(to.clone()) {
                    open.push(to.clone());
                }
            }
        }
        seen
    };
    let all: BTreeMap<&Module, BTreeSet<Module>> = arrows.keys().map(|module| (*module, reached(module))).collect();
    let mut circles: BTreeSet<BTreeSet<Module>> = BTreeSet::new();
    for (module, to) in all.iter().filter(|(module, to)| to.contains(**module)) {
        let back = to.iter().filter(|other| all.get(other).is_some_and(|to| to.contains(*module)));
        circles.insert(back.cloned().collect());
    }
    circles.into_iter().collect()
}

/// The floor of each room, from the lines `//! 2 report` below the heading `# Floors` of a crate's documentation.
fn floors(text: &str) -> BTreeMap<String, u32> {
    let lines = text.lines().skip_while(|line| *line != "//! # Floors").skip(1);
    let lines = lines.take_while(|line| !line.starts_with("//! # "));
    let mut floors = BTreeMap::new();
    for line in lines {
        let mut words = line.trim_start_matches("//!").split_whitespace();
        if let Some(Ok(floor)) = words.next().map(str::parse) {
            floors.extend(words.map(|room| (room.to_owned(), floor)));
        }
    }
    floors
}

fn faults(krate: &Crate, floors: &BTreeMap<String, u32>) -> Vec<String> {
    let arrows = krate.arrows();
    let mut faults = Vec::new();
    for circle in circles(&arrows) {
        let mut fault = String::from("a circle:");
        for module in &circle {
            let to = arrows.get(module).into_iter().flatten().filter(|to| circle.contains(*to));
            let to = to.map(|to| to.join("::")).collect::<Vec<_>>().join(", ");
            write!(fault, "\n    {} imports {to}", module.join("::")).expect("memory");
        }
        faults.push(fault);
    }
    let rooms: BTreeSet<&String> = krate.files.keys().filter_map(|module| module.first()).collect();
    faults.extend(rooms.iter().filter(|room| !floors.contains_key(**room)).map(|room| format!("{room}: on no floor")));
    faults.extend(floors.keys().filter(|room| !rooms.contains(room)).map(|room| format!("{room}: a floor, no room")));
    for (from, to) in arrows.iter().flat_map(|(from, all)| all.iter().map(move |to| (*from, to))) {
        let floor = |module: &Module| module.first().and_then(|room| floors.get(room));
        if from.first() != to.first() && floor(from) <= floor(to) {
            faults.push(format!("{} imports {}, which is not on a floor below it", from.join("::"), to.join("::")));
        }
    }
    faults
}

#[test]
fn imports_go_down_the_floors_and_never_in_circles() {
    let mut all = Vec::new();
    for folder in ["src", "probes/src"] {
        let krate = Crate::read(folder);
        let arrows: usize = krate.arrows().values().map(BTreeSet::len).sum();
        assert!(arrows > krate.files.len(), "{folder}: {arrows} arrows of {} files", krate.files.len());
        let floors = floors(&read(Path::new(&format!("{folder}/lib.rs"))));
        all.extend(faults(&krate, &floors).into_iter().map(|fault| format!("{folder}: {fault}")));
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
}

/// A crate of these files, on the floors 0 `low` and 1 `high`.
fn faults_of(files: &[(&str, &str)]) -> Vec<String> {
    let files = files.iter().map(|(module, text)| {
        (module.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect(), (*text).to_owned())
    });
    let krate = Crate::parse(files);
    let floors = [("low".to_owned(), 0), ("high".to_owned(), 1)];
    let rooms: BTreeSet<&String> = krate.files.keys().filter_map(|module| module.first()).collect();
    faults(&krate, &floors.into_iter().filter(|(room, _)| rooms.contains(room)).collect())
}

#[test]
fn a_circle_is_found_through_whatever_detour() {
    let parent = ("low", "mod a; mod b; pub use b::B; pub struct Own;");
    let b = |text: &'static str| ("low::b", text);
    for (a, b) in [
        ("use super::b::B; pub struct A;", b("use super::a::A; pub struct B;")),
        ("use super::B; pub struct A;", b("pub struct B; fn f() -> crate::low::a::A {}")),
        ("use crate::low; fn f(_: low::B) {} pub struct A;", b("use super::*; pub struct B; fn f(_: super::a::A) {}")),
        ("pub struct A; fn f() { check!(crate::low::b::B, 1) }", b("use super::a::A; pub struct B;")),
    ] {
        let found = faults_of(&[parent, ("low::a", a), b]);
        assert_eq!(found.len(), 1, "{a}: {found:?}");
        assert!(found[0].contains("low::a imports low::b") && found[0].contains("low::b imports low::a"), "{found:?}");
    }
}

#[test]
fn a_circle_over_the_door_of_a_room_is_found() {
    let files = [
        ("low", "mod a; fn f() { a::g() }"),
        ("low::a", "pub fn g() { crate::high::h() }"),
        ("high", "use crate::low::f; pub fn h() {}"),
    ];
    let found = faults_of(&files);
    assert!(found.iter().any(|fault| fault.starts_with("a circle:")), "{found:?}");
}

#[test]
fn a_room_is_no_circle_and_tests_are_left_out() {
    let a = "use super::Own; pub fn g(_: Own) {} #[cfg(test)] mod tests { use super::super::b::B; }";
    let b = "use super::a::g; pub struct B; #[cfg(test)] use super::a::G;";
    let parent = "mod a; mod b; pub struct Own; fn f() { a::g(Own) } #[cfg(test)] mod c;";
    assert_eq!(faults_of(&[("low", parent), ("low::a", a), ("low::b", b), ("low::c", "use super::a::g;")]), [""; 0]);
}

#[test]
fn an_arrow_up_the_floors_is_found_and_one_down_is_not() {
    let down = [("low", "pub struct L;"), ("high", "use crate::low::L; pub struct H;")];
    assert_eq!(faults_of(&down), [""; 0]);
    let up = [("low", "pub struct L; fn f() -> crate::high::H {}"), ("high", "pub struct H;")];
    assert_eq!(faults_of(&up), ["low imports high, which is not on a floor below it"]);
}
