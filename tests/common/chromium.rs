//! Headless Chromium: the page as the browser has it once its scripts are done, and pictures of it.

use std::env;
use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Longest wait for one page; one takes a second or two where nothing else runs.
const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// Virtual milliseconds that scripts get.
const BUDGET: &str = "--virtual-time-budget=5000";

/// A browser that is installed.
pub struct Chromium(PathBuf);

/// A picture in RGB.
pub struct Image {
    width: usize,
    bytes: Vec<u8>,
}

impl Image {
    /// The pixel at (x, y).
    pub fn pixel(&self, x: usize, y: usize) -> [u8; 3] {
        let at = 3 * (y * self.width + x);
        [self.bytes[at], self.bytes[at + 1], self.bytes[at + 2]]
    }

    /// How much of the picture has this color.
    pub fn share_of(&self, color: [u8; 3]) -> f64 {
        let pixels = self.bytes.chunks_exact(3);
        let all = pixels.len() as f64;
        pixels.filter(|pixel| **pixel == color).count() as f64 / all
    }
}

impl Chromium {
    /// The browser. Where there is none, says so, past the test harness, which would swallow it.
    ///
    /// # Panics
    /// Where there is none, and `ITOCHECK_NEED_CHROMIUM` is set.
    pub fn find() -> Option<Self> {
        let folders = env::var_os("PATH").unwrap_or_default();
        let found = NAMES
            .iter()
            .flat_map(|name| env::split_paths(&folders).map(move |folder| folder.join(name)))
            .find(|path| path.is_file());
        if found.is_none() {
            let message = format!("none of {NAMES:?} is in the PATH");
            assert!(env::var_os("ITOCHECK_NEED_CHROMIUM").is_none(), "{message}");
            let test = std::thread::current().name().unwrap_or("a test").to_owned();
            let mut past_the_harness = std::io::stderr();
            writeln!(past_the_harness, "{test} is skipped: {message}").unwrap();
        }
        found.map(Self)
    }

    /// The page as text, opened at a fragment, once its scripts have run.
    pub fn dom(&self, page: &str, fragment: &str) -> String {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("index.html");
        fs::write(&file, page).unwrap();
        self.run(&folder, &["--dump-dom".to_owned(), format!("file://{}{fragment}", file.display())])
    }

    /// What a page posts to its parent from a frame of this width. Windows cannot be that narrow.
    pub fn message_of_frame(&self, page: &str, width: u32) -> String {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("index.html"), page).unwrap();
        let file = folder.path().join("frame.html");
        let frame = format!(
            "<title>no message</title><script>addEventListener('message', (event) => {{ document.title = event.data; \
             }})</script><iframe src=\"index.html\" width=\"{width}\" height=\"800\" style=\"border: 0\"></iframe>"
        );
        fs::write(&file, frame).unwrap();
        let dom = self.run(&folder, &["--dump-dom".to_owned(), format!("file://{}", file.display())]);
        let title = dom.split_once("<title>").unwrap().1.split_once("</title>").unwrap().0;
        title.to_owned()
    }

    /// A picture of the page in a window of this size.
    pub fn screenshot(&self, page: &str, width: u32, height: u32) -> Image {
        let folder = TempDir::new().unwrap();
        let (file, picture) = (folder.path().join("index.html"), folder.path().join("picture.png"));
        fs::write(&file, page).unwrap();
        self.run(
            &folder,
            &[
                format!("--screenshot={}", picture.display()),
                format!("--window-size={width},{height}"),
                format!("file://{}", file.display()),
            ],
        );
        let mut decoder = png::Decoder::new(File::open(picture).unwrap());
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        let mut reader = decoder.read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size()];
        let info = reader.next_frame(&mut bytes).unwrap();
        let samples = info.color_type.samples();
        let rgb = bytes.chunks_exact(samples).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]);
        Image { width: info.width as usize, bytes: rgb.collect() }
    }

    /// Standard output of a run that ends by itself; it is ended where it does not.
    fn run(&self, folder: &TempDir, arguments: &[String]) -> String {
        let output = folder.path().join("output");
        let mut child = Command::new(&self.0)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args(["--disable-dev-shm-usage", "--hide-scrollbars", BUDGET])
            .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(File::create(&output).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begin = Instant::now();
        while child.try_wait().unwrap().is_none() {
            if begin.elapsed() > LONGEST_WAIT {
                child.kill().unwrap();
                child.wait().unwrap();
                panic!("{} did not end within {LONGEST_WAIT:?}", self.0.display());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        fs::read_to_string(output).unwrap()
    }
}
