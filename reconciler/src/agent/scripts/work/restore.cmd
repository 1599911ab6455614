:work
rem Staged content into place, behind a safety copy that later attempts leave alone. Nothing is deleted. No name of
rem a file stands here: xcopy takes whole folders, whatever people call their dashboards.
set "LIVE=C:\Skyline DataMiner"
set "SAFE=%ROOT%\content\{safe}"
set "CODE=41"
>"%JOB%\output.log" echo safety copy: %SAFE%
if exist "%SAFE%\complete.txt" goto place
if not exist "%SAFE%\" md "%SAFE%"
if not exist "%SAFE%\" goto ended
set "PART=Applications"
call :keep
if not "%KEPT%"=="yes" goto ended
set "PART=Dashboards"
call :keep
if not "%KEPT%"=="yes" goto ended
>"%SAFE%\complete.txt" echo {job}
if not exist "%SAFE%\complete.txt" goto ended

:place
set "CODE=42"
>>"%JOB%\output.log" echo restore
rem /k would keep a staged file's attributes; /r and /h overwrite what is read-only or hidden.
xcopy "%JOB%\content" "%LIVE%" /e /i /y /h /r /k /q >>"%JOB%\output.log" 2>&1
if errorlevel 1 goto ended
set "CODE=0"
goto ended

:keep
rem An empty folder has nothing to keep. xcopy ends with 1 for it, which may also be an error: none is overlooked.
set "KEPT=yes"
if not exist "%LIVE%\%PART%\" exit /b 0
dir /b /s /a-d "%LIVE%\%PART%" >nul 2>&1
if errorlevel 1 exit /b 0
xcopy "%LIVE%\%PART%" "%SAFE%\%PART%" /e /i /y /h /r /k /q >>"%JOB%\output.log" 2>&1
if errorlevel 1 set "KEPT=no"
if not exist "%SAFE%\%PART%\" set "KEPT=no"
exit /b 0
