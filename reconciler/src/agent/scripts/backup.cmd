@echo off
rem Hashes one of the product's content backups: the one at the place of the first argument, newest first, from 0.
rem The name stays in a variable: between quotes nothing in it means anything to cmd.
setlocal
chcp 65001 >nul
set "FOLDER=C:\Skyline DataMiner\System Cache\Web\Backups"
set "NAME="
echo @@backup 1
if "%1"=="0" goto newest
for /f "skip=%1 delims=" %%f in ('dir /b /a-d /o-d "%FOLDER%\*.zip"') do if not defined NAME set "NAME=%%f"
goto found

:newest
for /f "delims=" %%f in ('dir /b /a-d /o-d "%FOLDER%\*.zip"') do if not defined NAME set "NAME=%%f"

:found
if defined NAME certutil -hashfile "%FOLDER%\%NAME%" SHA256
echo @@end
exit /b 0
